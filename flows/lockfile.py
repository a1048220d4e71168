"""dvc.lock and DVC's record of readers and writers, all or nothing, and a stage at a time.

DVC reads and writes the whole of dvc.lock with a YAML library in Python after each stage: seconds
where stages are many. Here the stage that changed is written by DVC's own means, and the lines of
the others stay as they are. What comes out is what DVC writes, byte for byte.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fer_pipeline.outputs import atomic, write_text

HEAD: Final = "schema: '2.0'\nstages:\n"
"""How a lock of stages begins. Source: DVC 3.67, Lockfile.dump_stages."""

_OUTER: Final = re.compile(r"^ {0,3}[^ \n].*\n", re.MULTILINE)
"""Lines that are no part of a stage's entry."""

_NAME: Final = re.compile(r"  ([A-Za-z_][\w@.-]*):\n")
"""A stage's first line: its name, which needed no quoting."""


class _Whole:
    """A file system of DVC's through which files are written all or nothing."""

    def __init__(self, fs: Any) -> None:
        self._fs = fs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fs, name)

    @contextmanager
    def open(self, path: str, mode: str = "r", **options: Any) -> Iterator[Any]:
        if not mode.startswith("w"):
            with self._fs.open(path, mode, **options) as file:
                yield file
            return
        with atomic(Path(path)) as part, self._fs.open(str(part), mode, **options) as file:
            yield file


def take_over() -> None:
    """Has DVC write both files as this module does, in this process and its forks.

    DVC empties such a file and then writes it: a kill in between would leave half of it, and no
    later command could read it.
    """
    from dvc import rwlock
    from dvc.dvcfile import Lockfile
    from dvc.fs import localfs
    from dvc.utils.serialize import _common, _yaml

    if getattr(rwlock, "whole", False):
        return
    dump, edit, all_stages = _common._dump_data, rwlock._edit_rwlock, Lockfile.dump_stages

    def dump_whole(path: Any, data: Any, dumper: Any, fs: Any = None, **options: Any) -> None:
        dump(path, data, dumper, fs=_Whole(fs or localfs), **options)

    def dump_stages(file: Any, stages: list[Any], **options: Any) -> None:
        if not _spliced(file, stages, options):
            all_stages(file, stages, **options)

    _common._dump_data = _yaml._dump_data = dump_whole
    rwlock._edit_rwlock = lambda folder, fs, hardlink: edit(folder, _Whole(fs), hardlink)
    Lockfile.dump_stages = dump_stages
    rwlock.whole = True


def _spliced(file: Any, stages: list[Any], options: Mapping[str, Any]) -> bool:
    """Writes the stages' entries into DVC's lock; False where that has to be left to DVC."""
    from dvc.stage.serialize import to_lockfile

    entries: dict[str, Any] = {}
    for stage in stages:
        entries |= to_lockfile(stage, **options)
    changed = put(Path(file.path), entries)
    if changed:
        file.repo.scm_context.track_file(file.relpath)
    return changed is not None


def put(path: Path, entries: Mapping[str, Mapping[str, Any]]) -> bool | None:
    """Whether the entries, by stage, changed the lock; None where that has to be left to DVC."""
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    text: str | None = before
    for name, entry in entries.items():
        text = text and splice(text, name, entry)
    if not text:
        return None
    if text != before:
        write_text(path, text)
    return text != before


def splice(text: str, name: str, entry: Mapping[str, Any]) -> str | None:
    """A lock's text with this entry in place of the stage's, or at the end where it had none.

    None where the text, or this entry, is not laid out as DVC lays out stages with plain names.
    """
    from dvc.utils.serialize import dumps_yaml

    blocks = _blocks(text)
    block = _blocks(dumps_yaml({"schema": "2.0", "stages": {name: dict(entry)}}))
    # Anchors would be numbered through the whole file.
    if blocks is None or block is None or "&id" in block[name]:
        return None
    return HEAD + "".join({**blocks, **block}.values())


def _blocks(text: str) -> dict[str, str] | None:
    """Each stage's lines, by name; None where there is more, or it is laid out otherwise."""
    if not text.startswith(HEAD):
        return None
    starts = [*_OUTER.finditer(text, len(HEAD))]
    names = [_NAME.fullmatch(start[0]) for start in starts]
    if not starts or starts[0].start() != len(HEAD) or not all(names):
        return None
    ends = [start.start() for start in starts[1:]] + [len(text)]
    return {
        name[1]: text[start.start() : end]
        for name, start, end in zip(names, starts, ends, strict=True)
        if name
    }


def mend(root: Path) -> bool:
    """Takes away DVC's record of who reads and writes what, where a kill of DVC left half of it.

    True where it did.
    """
    from dvc.lock import make_lock

    folder = root / ".dvc" / "tmp"
    if not (folder / "rwlock").is_file():
        return False
    with make_lock(str(folder / "rwlock.lock"), tmp_dir=str(folder), wait=True):
        try:
            json.loads((folder / "rwlock").read_text(encoding="utf-8"))
        except ValueError:
            (folder / "rwlock").unlink()
            return True
    return False
