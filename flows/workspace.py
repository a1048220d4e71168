"""A copy of the repository in which other parameters run, so that the working tree stays as it is.

The copy is a git clone beside DVC's temporary files. It shares the repository's cache, its raw data
and its kept repeats; a study that was killed finds its copy again and goes on in it.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fer_pipeline.errors import BadParams
from fer_pipeline.outputs import digest
from flows import graph, process, profiles
from flows.host import HOST

FOLDER: Final = Path(".dvc") / "tmp" / "studies"

SHARED: Final = ("data/raw", "data/runs")
"""Folders outside DVC that the copy uses in place."""


def prepare(root: Path, overrides: Sequence[str], profile: str) -> Path:
    """The copy for these parameters: last commit, then the tree's changes, then the parameters.

    Files that git does not track are not in it.

    Raises: BadParams for a repository without a commit or an override that fits nothing;
    UnknownName for the profile.
    """
    changes = _git(root, "diff", "HEAD", "--binary")
    commit = _git(root, "rev-parse", "HEAD").strip()
    folder = root / FOLDER / digest(commit, changes, list(overrides), profile)
    if folder.is_dir():
        return folder
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    _git(root, "clone", "-q", "--shared", "--no-checkout", str(root), str(part))
    _git(part, "checkout", "-q", "--detach", commit)
    if changes:
        _git(part, "apply", "--whitespace=nowarn", stdin=changes)
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
    _dvc(folder, "exp", "save", "--force", "--name", name)
    if folder != root:
        _git(root, "fetch", "-q", "--no-tags", str(folder), "+refs/exps/*:refs/exps/*")
        shutil.rmtree(folder)


def _share(root: Path, part: Path) -> None:
    _dvc(part, "config", "--local", "cache.dir", graph.cache(root))
    for name in SHARED:
        (root / name).mkdir(parents=True, exist_ok=True)
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        (part / name).symlink_to((root / name).resolve(), target_is_directory=True)


def _git(folder: Path, *words: str, stdin: str | None = None) -> str:
    done = process.call(folder, "git", *words, stdin=stdin)
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
