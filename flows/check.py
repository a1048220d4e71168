"""What CI asks of the pipeline: `python -m flows.check`, a line per check, 1 if one failed.

The same checks pass or fail on a laptop; `--comment FILE` writes them as Markdown for a pull
request, with what changed in the metrics.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from fer_pipeline import errors
from fer_pipeline.errors import PipelineError
from flows import gate, graph, process
from flows.comment import Outcome, comment
from flows.host import HOST

MOST_STAGES: Final = 80
"""DVC writes the whole lock after every stage; beyond this a run spends its time there."""

UP_TO_DATE: Final = "Data and pipelines are up to date."

PROFILE: Final = "tiny"


class CheckFailed(PipelineError):
    """A check found something wrong."""


class Skipped(Exception):
    """A check does not apply here; says why."""


@dataclass(frozen=True)
class Place:
    """The checkout under check, a folder for clones, the commit to compare with."""

    root: Path
    work: Path
    against: str


Check = Callable[[Place], str]


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the checks, one after another."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.check",
        description=__doc__,
        epilog="checks: " + ", ".join(CHECKS),
    )
    parser.add_argument("names", nargs="*", metavar="CHECK", help="none: all of them")
    parser.add_argument("--against", default="main", metavar="COMMIT", help="default: main")
    parser.add_argument("--comment", type=Path, metavar="FILE", help="Markdown to write")
    asked = parser.parse_args(argv)
    root = Path.cwd()
    with errors.one_line(), tempfile.TemporaryDirectory(prefix="fer-check-") as work:
        place = Place(root, Path(work), asked.against)
        found = [run(name, CHECKS[name], place) for name in chosen(asked.names)]
        if asked.comment:
            text = comment(found, root, asked.against, place.work)
            asked.comment.write_text(text, encoding="utf-8")
    sys.exit(1 if any(one.state == "failed" for one in found) else 0)


def chosen(names: Sequence[str]) -> Sequence[str]:
    """The named checks, or all.

    Raises: UnknownName.
    """
    for name in names:
        if name not in CHECKS:
            hint = errors.nearest(name, list(CHECKS))
            raise errors.UnknownName(f"no check '{name}'; {hint}known: {', '.join(CHECKS)}")
    return names or list(CHECKS)


def run(name: str, check: Check, place: Place) -> Outcome:
    """Runs one check and prints its line; a finding of its own kind never ends the others."""
    print(f"{name} ...", end=" ", flush=True)
    began = time.monotonic()
    state: Literal["ok", "failed", "skipped"] = "ok"
    try:
        said = check(place)
    except Skipped as reason:
        state, said = "skipped", str(reason)
    except PipelineError as error:
        state, said = "failed", str(error)
    seconds = time.monotonic() - began
    print(f"{state} ({seconds:.0f} s): {said}", flush=True)
    return Outcome(name, state, said, seconds)


def stages(place: Place) -> str:
    """DVC accepts dvc.yaml, and the graph is not too large."""
    count = len(graph.stages(place.root))
    if count > MOST_STAGES:
        raise CheckFailed(f"{count} stages, at most {MOST_STAGES}; move loops into a stage")
    return f"{count} stages"


def layout(place: Place) -> str:
    """Dependencies cover imports, parameters validate, every stage has room and tests."""
    return _pytest(place.root, "tests/test_layout.py", "tests/test_params.py")


def deployments(place: Place) -> str:
    """prefect.yaml: entry points load, parameters fit, schedules parse."""
    return _pytest(place.root, "tests/flows/test_deployments.py")


def lock(place: Place) -> str:
    """dvc.lock belongs to the code and parameters of this commit."""
    done = HOST.call(place.root, "repro", "--allow-missing", "--dry")
    if UP_TO_DATE in done.stdout + done.stderr:
        return "dvc.lock is fresh"
    waiting = [line.split("'")[1] for line in done.stdout.splitlines() if "Running stage" in line]
    listed = f"{', '.join(waiting[:5])}{' ...' if len(waiting) > 5 else ''}"
    reason = f"{len(waiting)} stages: {listed}" if waiting else _tail(done)
    raise CheckFailed(f"dvc.lock is stale ({reason}); run dvc repro and commit dvc.lock")


def remote(place: Place) -> str:
    """Everything that dvc.lock names is on the remote."""
    if not HOST.call(place.root, "remote", "list").stdout.strip():
        raise Skipped("no DVC remote is set")
    done = HOST.call(place.root, "data", "status", "--not-in-remote", "--json")
    if done.returncode:
        raise CheckFailed(f"dvc data status says: {_tail(done)}")
    missing = json.loads(done.stdout or "{}").get("not_in_remote", [])
    if missing:
        raise CheckFailed(f"{len(missing)} outputs are not there, first {missing[0]}; run dvc push")
    return "complete"


def pipeline(place: Place) -> str:
    """The tiny study in two clones: runs, a second run does nothing, results are the same."""
    first, second = (_clone(place, name) for name in ("first", "second"))
    for folder in (first, second):
        _repro(folder)
    again = HOST.call(first, "repro")
    if UP_TO_DATE not in again.stdout + again.stderr:
        raise CheckFailed(f"a second dvc repro did not find everything done: {_tail(again)}")
    one, other = _hashes(first), _hashes(second)
    differ = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    if differ:
        raise CheckFailed(f"two fresh runs differ in {', '.join(differ[:5])}")
    return f"{len(one)} metrics files, equal in two fresh runs; a second run does nothing"


def flow(place: Place) -> str:
    """Two real flow runs over the tiny study: everything cached, then forced to validation."""
    folder = place.work / "first"
    if not (folder / "metrics" / "summary.json").is_file():
        folder = _clone(place, "first")
        _repro(folder)
    said = []
    for words in ([], ["--force", "validate_across"]):
        done = process.call(folder, sys.executable, "-m", "flows", *words)
        if done.returncode:
            raise CheckFailed(f"python -m flows {' '.join(words)} says: {_tail(done)}")
        said.append(done.stdout.strip().splitlines()[-1])
    if " 0 run," not in said[0]:
        raise CheckFailed(f"after dvc repro a flow found something to do: {said[0]}")
    return "; forced: ".join(said)


def regression(place: Place) -> str:
    """No committed result fell below its interval."""
    if not (place.root / gate.SUMMARY).is_file():
        raise Skipped(f"no {gate.SUMMARY} here")
    before = gate.accepted(place.root, place.against)
    fallen = gate.below_interval(before, gate.read(place.root / gate.SUMMARY))
    if fallen:
        raise CheckFailed("; ".join(map(str, fallen)))
    lost = gate.gone(before, gate.read(place.root / gate.SUMMARY))
    noted = f"; there no more: {', '.join(lost)}" if lost else ""
    return f"nothing fell below its interval at {place.against}{noted}"


CHECKS: Final[dict[str, Check]] = {
    "stages": stages,
    "layout": layout,
    "deployments": deployments,
    "lock": lock,
    "remote": remote,
    "pipeline": pipeline,
    "flow": flow,
    "regression": regression,
}


def _pytest(root: Path, *paths: str) -> str:
    done = process.call(
        root, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths
    )
    if done.returncode:
        raise CheckFailed(_tail(done))
    return done.stdout.strip().splitlines()[-1].strip("= ")


def _clone(place: Place, name: str) -> Path:
    """The commit of the checkout with the tiny profile, nothing run, a cache of its own."""
    folder = place.work / name
    done = process.call(place.root, "git", "clone", "-q", str(place.root), str(folder))
    if done.returncode:
        raise CheckFailed(f"git clone says: {_tail(done)}")
    (folder / "dvc.lock").unlink(missing_ok=True)
    for kept in (folder / "metrics").glob("*.json*"):
        kept.unlink()
    shutil.copyfile(folder / "params" / f"{PROFILE}.yaml", folder / "params.yaml")
    return folder


def _repro(folder: Path) -> None:
    done = HOST.call(folder, "repro")
    if done.returncode:
        raise CheckFailed(f"dvc repro of params/{PROFILE}.yaml says: {_tail(done)}")


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "metrics").rglob("*.json"))
    }


def _tail(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stdout + done.stderr).strip().splitlines()
    return " ".join(" ".join(lines[-8:]).split()) or f"nothing, status {done.returncode}"


if __name__ == "__main__":
    main()
