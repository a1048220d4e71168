"""Outputs that a kill leaves either old or new, never half."""

import glob
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yields a temporary sibling to write (file or folder); renames it to `path` on success.

    The sibling is removed when the block raises, those of killed processes when their output is
    written again. Parent folders are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays last, for writers (cv2, matplotlib) that choose the format by it.
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    for left in path.parent.glob(f".{glob.escape(path.stem)}.*.part{glob.escape(path.suffix)}"):
        if left == part or not _running(left.name.split(".")[-3 if path.suffix else -2]):
            _remove(left)
    try:
        yield part
        if part.is_dir():
            _remove(path)
        part.replace(path)
    finally:
        _remove(part)


def write_json(path: Path, value: object) -> None:
    """Writes stable JSON: sorted keys, two spaces, newline at the end; NaN is refused."""
    text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text with LF line ends."""
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def digest(*parts: object) -> str:
    """16 hex digits over everything given; a `Path` counts by its file's content."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            with part.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        else:
            total.update(json.dumps(part, sort_keys=True, default=str).encode())
        total.update(b"\0")
    return total.hexdigest()[:16]


def _running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
