"""A worker's clones: where it runs the stages that it is given, beside the checkout it started in.

They lie in that checkout's .dvc/tmp, so that an order never touches anybody's working tree. They
share its git objects, its DVC cache, its raw data and its kept repeats.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from fer_pipeline.errors import PipelineError
from fer_pipeline.evaluate import ledger
from fer_pipeline.outputs import digest, write_text
from flows import graph, lock, process, profiles
from flows.host import HOST
from flows.workspace import SHARED

FOLDER: Final = Path(".dvc") / "tmp" / "workers"

NAME: Final = Path(".dvc") / "tmp" / "controller"
"""Holds the name by which a study's working tree finds its orders again."""

LEDGER: Final = "metrics/test_uses.jsonl"
"""Grows with each evaluation and is git's to keep: it travels with the stage's result."""


class Unusable(PipelineError):
    """No clone could be made or brought to the commit; another worker may be able to."""


@contextmanager
def taken(home: Path) -> Iterator[Path]:
    """The first clone of `home` that no other stage holds, made where there is none.

    Raises: Unusable.
    """
    with ExitStack() as held:
        folder = _first_free(home, held)
        if not (folder / ".git").is_dir():
            _make(home, folder)
        yield folder


def place(
    home: Path, clone: Path, commit: str, params: str, lock_text: str, cache: str = ""
) -> None:
    """Brings the clone to the commit with these parameters and this lock.

    cache: the one to share in place of the checkout's.

    Outputs that no stage of it writes go from the working tree; the cache keeps them. Lines of the
    ledger that were not handed over yet stay.

    Raises: Unusable; BadParams for parameters that make no graph.
    """
    if process.call(clone, "git", "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        # Into the checkout, whose objects the clone sees: the credentials are there.
        process.call(home, "git", "fetch", "-q", "origin")
    former, kept = profiles.recorded(clone), uses(clone)
    # Whoever holds the clone is alone in it: this is a killed git's.
    (clone / ".git" / "index.lock").unlink(missing_ok=True)
    done = process.call(clone, "git", "checkout", "-q", "--force", "--detach", commit)
    if done.returncode:
        raise Unusable(
            f"{home} cannot check out {commit[:12]} ({done.stderr.strip()}); push it to the origin "
            "of the workers' clones"
        )
    _share(home, clone, cache or graph.cache(home))
    write_text(clone / "params.yaml", params)
    if lock_text:
        write_text(clone / "dvc.lock", lock_text)
    else:
        (clone / "dvc.lock").unlink(missing_ok=True)
    ledger.record(clone / LEDGER, kept)
    profiles.tidy(clone, former)


def cache_of(tree: str, name: str) -> str:
    """The cache of the study's tree, for an order of a study without a DVC remote.

    Raises: Unusable where that tree is not to be seen.
    """
    path = Path(tree) / NAME
    if not path.is_file() or path.read_text(encoding="utf-8") != name:
        raise Unusable(
            f"DVC has no remote, and the study's tree {tree} is not on this machine; dvc remote "
            "add -d NAME URL, and commit .dvc/config"
        )
    return graph.cache(Path(tree))


def check_out(clone: Path, names: Sequence[str]) -> None:
    """Brings the outputs of these stages from the cache.

    Raises: Unusable.
    """
    done = HOST.call(clone, "checkout", "--force", *names)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise Unusable(f"{clone}: dvc checkout says: {said}")


def uses(clone: Path) -> list[dict[str, object]]:
    """Uses of test sets that are in the clone's ledger and not in its commit's."""
    known = [json.loads(line) for line in _committed(clone).splitlines()]
    return [use for use in ledger.read(clone / LEDGER) if use not in known]


def hand_over(clone: Path) -> None:
    """Takes the uses out of the clone's ledger, once they are on their way to the controller."""
    if committed := _committed(clone):
        write_text(clone / LEDGER, committed)
    else:
        (clone / LEDGER).unlink(missing_ok=True)


def _first_free(home: Path, held: ExitStack) -> Path:
    # A container sees the checkout under another path, and a clone holds absolute paths to it.
    folder = home / FOLDER / digest(str(home))
    number = 0
    while True:
        clone = folder / str(number)
        with suppress(lock.Busy):
            held.enter_context(lock.working_tree(clone, 0, folder / f"{number}.lock"))
            return clone
        number += 1


def _make(home: Path, clone: Path) -> None:
    part = clone.with_suffix(".part")
    for left in (part, clone):
        shutil.rmtree(left, ignore_errors=True)
    _git(home, "clone", "-q", "--shared", "--no-checkout", str(home), str(part))
    part.rename(clone)


def _share(home: Path, clone: Path, cache: str) -> None:
    """Each time anew, for the checkout's remote or its credentials may have changed."""
    own, there = home / ".dvc" / "config.local", clone / ".dvc" / "config.local"
    there.unlink(missing_ok=True)
    if own.is_file():
        shutil.copy2(own, there)
    done = HOST.call(clone, "config", "--local", "cache.dir", cache)
    if done.returncode:
        raise Unusable(f"{clone}: dvc config says: {done.stderr.strip()}")
    for name in SHARED:
        (home / name).mkdir(parents=True, exist_ok=True)
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        if (clone / name).is_symlink():
            (clone / name).unlink()
        if not (clone / name).exists():
            (clone / name).symlink_to((home / name).resolve(), target_is_directory=True)


def _committed(clone: Path) -> str:
    done = process.call(clone, "git", "show", f"HEAD:{LEDGER}")
    return done.stdout if done.returncode == 0 else ""


def _git(folder: Path, *words: str) -> None:
    done = process.call(folder, "git", *words)
    if done.returncode:
        raise Unusable(f"{folder}: git {words[0]} says: {done.stderr.strip()}")
