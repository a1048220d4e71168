"""A copy of the repository in which other parameters run, so that the working tree stays as it is.

The copy is a git clone beside DVC's temporary files. It shares the repository's cache, its raw data
and its kept repeats; a study that was killed finds its copy again and goes on in it.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fer_pipeline.errors import BadParams
from fer_pipeline.outputs import digest
from flows import graph, lock, process, profiles
from flows.host import HOST

FOLDER: Final = Path(".dvc") / "tmp" / "studies"

SHARED: Final = ("data/raw", "data/runs")
"""Folders outside DVC that the copy uses in place."""

KEPT: Final = ("dvc.lock", "params.yaml", "metrics")
"""Untracked files of the working tree that belong to an experiment."""


AUTHOR: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "fer-pipeline"), ("EMAIL", "fer-pipeline@localhost"))
}
"""Of an experiment's commit: a machine that runs studies need not know a person."""


@contextmanager
def opened(root: Path, overrides: Sequence[str], profile: str, wait: float) -> Iterator[Path]:
    """The tree to run in, held while the block runs: the repository, or its copy for these
    parameters. Waits up to `wait` seconds for another study on the same tree.

    Raises: lock.Busy; what `prepare` raises.
    """
    if not overrides and not profile:
        with lock.working_tree(root, wait):
            yield root
        return
    folder = place(root, overrides, profile)
    # Beside the copy, for that is not there yet, and goes once it is saved.
    with lock.working_tree(folder, wait, folder.with_suffix(".lock")):
        yield prepare(root, overrides, profile)


def place(root: Path, overrides: Sequence[str], profile: str) -> Path:
    """Where the copy for these parameters is, or will be.

    Raises: BadParams for a repository without a commit.
    """
    commit = _git(root, "rev-parse", "HEAD").strip()
    added = [(name, (root / name).read_bytes().hex()) for name in _untracked(root)]
    changes = _git(root, "diff", "HEAD", "--binary")
    return root / FOLDER / digest(commit, changes, added, list(overrides), profile)


def prepare(root: Path, overrides: Sequence[str], profile: str) -> Path:
    """The copy for these parameters: last commit, then the tree's changes, then the parameters.

    What git ignores is not in it.

    Raises: BadParams for a repository without a commit or an override that fits nothing;
    UnknownName for the profile.
    """
    folder = place(root, overrides, profile)
    if folder.is_dir():
        return folder
    changes = _git(root, "diff", "HEAD", "--binary")
    commit = _git(root, "rev-parse", "HEAD").strip()
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    _git(root, "clone", "-q", "--shared", "--no-checkout", str(root), str(part))
    _git(part, "checkout", "-q", "--detach", commit)
    if changes:
        _git(part, "apply", "--whitespace=nowarn", stdin=changes)
    for name in _untracked(root):
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, part / name)
    _share(root, part)
    if profile:
        shutil.copyfile(profiles.file(part, profile), part / "params.yaml")
    if overrides:
        graph.override(part / "params.yaml", overrides)
    # What is in the cache need not run again; what is not there will.
    HOST.call(part, "checkout", "--force", "--quiet")
    part.rename(folder)
    return folder


def save(folder: Path, root: Path, name: str) -> None:
    """Keeps the parameters, lock and metrics of `folder` as experiment `name` of the repository.

    `dvc exp show` lists it there, `dvc exp apply NAME` takes it over. A copy goes.
    """
    # Not `dvc exp save`: it records what lies in the outputs of every stage as that stage's result,
    # also of stages that this run did not reach.
    index = {"GIT_INDEX_FILE": str((folder / ".dvc" / "tmp" / "experiment.index").resolve())}
    commit = _git(folder, "rev-parse", "HEAD").strip()
    _git(folder, "read-tree", "HEAD", env=index)
    _git(folder, "add", "--update", env=index)
    if made := _untracked(folder, *(KEPT if folder == root else ())):
        _git(folder, "add", "--", *made, env=index)
    tree = _git(folder, "write-tree", env=index).strip()
    message = f"dvc: commit experiment {name}"
    kept = _git(folder, "commit-tree", tree, "-p", commit, "-m", message, env=AUTHOR).strip()
    _git(folder, "update-ref", _reference(commit, name), kept)
    if folder != root:
        _git(root, "fetch", "-q", "--no-tags", str(folder), "+refs/exps/*:refs/exps/*")
        shutil.rmtree(folder)


def check_name(name: str) -> None:
    """Sees to it before a run that an experiment may be called so after it.

    Raises: BadParams.
    """
    reference = _reference("0" * 40, name)
    if "/" in name or process.call(Path.cwd(), "git", "check-ref-format", reference).returncode:
        raise BadParams(f"experiment = {name!r} is no name for git; use letters, digits, - and _")


def _reference(commit: str, name: str) -> str:
    """Where DVC looks for an experiment; source: dvc.repo.experiments.refs."""
    return f"refs/exps/{commit[:2]}/{commit[2:]}/{name}"


def _untracked(root: Path, *below: str) -> list[str]:
    """Files that git neither tracks nor ignores."""
    words = ("ls-files", "--others", "--exclude-standard", "-z", *(("--", *below) if below else ()))
    return [name for name in _git(root, *words).split("\0") if name]


def _share(root: Path, part: Path) -> None:
    own = root / ".dvc" / "config.local"
    if own.is_file():
        # Credentials of a remote, for example.
        shutil.copy2(own, part / ".dvc" / "config.local")
    _dvc(part, "config", "--local", "cache.dir", graph.cache(root))
    for name in SHARED:
        (root / name).mkdir(parents=True, exist_ok=True)
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        (part / name).symlink_to((root / name).resolve(), target_is_directory=True)


def _git(
    folder: Path, *words: str, stdin: str | None = None, env: Mapping[str, str] | None = None
) -> str:
    given = {**os.environ, **(env or {})}
    done = process.call(folder, "git", *words, stdin=stdin, env=given)
    if done.returncode:
        raise BadParams(
            f"{folder}: git {words[0]} says: {done.stderr.strip()}; a study with parameters of its "
            "own needs a repository with a commit"
        )
    return done.stdout


def _dvc(folder: Path, *words: str) -> None:
    done = HOST.call(folder, *words)
    if done.returncode:
        raise BadParams(f"{folder}: dvc {' '.join(words)} says: {done.stderr.strip()}")
