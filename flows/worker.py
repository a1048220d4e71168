"""A worker's part of a study over many machines: one stage, in a clone of its own.

Code comes by git, data by DVC's remote; back go the stage's entry for dvc.lock and its lines for
the ledger of test uses.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.states import State

from fer_pipeline.errors import BadParams
from fer_pipeline.outputs import write_text
from flows import HOME, devices, graph, lock, process, profiles, stages
from flows.graph import Stage
from flows.stages import Setting

LEDGER: Final = "metrics/test_uses.jsonl"
"""Grows with each evaluation and is git's to keep: it travels with the stage's result."""

OWN: Final = ("params.yaml", "dvc.lock", "metrics")
"""What may differ from the commit: it travels with each order."""

MARK: Final = Path(".dvc") / "tmp" / "worker"
"""Is there in a clone that belongs to a worker."""

STORAGE: Final = "FER_TUNE_STORAGE"
"""Where the stage tune finds the URL of its storage."""

ALIVE: Final = "fer.stage.alive"
SIGN_EVERY: Final = 5.0
"""Seconds between two signs of life."""

TREE_WAIT: Final = 3600.0
"""Seconds that a stage waits for another one in the same clone."""

RETURNED: Final = "what the controller takes back"


@flow(name="stage", persist_result=False)
def stage(
    name: str, commit: str, params: str, lock_text: str, force: bool = False, storage: str = ""
) -> State[Any]:
    """Runs one stage in this worker's clone; a study in mode cluster starts it.

    Args:
        name: the stage, as in dvc.yaml
        commit: what to check out
        params: content of params.yaml
        lock_text: content of dvc.lock so far
        force: run the stage even if nothing has changed
        storage: URL of the trials that this worker shares with others, for a stage of tune
    """
    with _signs(), lock.working_tree(HOME, TREE_WAIT):
        place(HOME, commit, params, lock_text)
        one = graph.stages(HOME, [name])[name]
        extra = {STORAGE: storage} if storage else {}
        setting = Setting(HOME, devices.found(), force=force, remote=True, extra=extra)
        before = lines(HOME)
        lease = _lease(one, setting)
        run: Any = stages.run.with_options(**stages.options(one, setting))
        try:
            state: State[Any] = run(
                stage=one, reason="asked for", lease=lease, setting=setting, return_state=True
            )
        finally:
            if lease:
                lease.__exit__(None, None, None)
        if state.is_completed():
            new = [line for line in lines(HOME) if line not in before]
            back = {"lock": graph.locked(HOME, name), "ledger": new}
            create_markdown_artifact(markdown=json.dumps(back), description=RETURNED)
    return state


def place(root: Path, commit: str, params: str, lock_text: str) -> None:
    """Brings the clone to the commit with these parameters and this lock.

    Outputs that no stage of it writes go from the working tree; the cache keeps them.

    Raises: BadParams for a commit that the clone's origin does not have, and for a clone that
    holds somebody's changes.
    """
    _claim(root)
    if process.call(root, "git", "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        process.call(root, "git", "fetch", "-q", "origin")
    former = profiles.recorded(root)
    done = process.call(root, "git", "checkout", "-q", "--force", "--detach", commit)
    if done.returncode:
        raise BadParams(
            f"{root} cannot check out {commit[:12]} ({done.stderr.strip()}); push it to the "
            "origin of the workers' clones"
        )
    write_text(root / "params.yaml", params)
    if lock_text:
        write_text(root / "dvc.lock", lock_text)
    else:
        (root / "dvc.lock").unlink(missing_ok=True)
    profiles.tidy(root, former)


def changed(root: Path, but: tuple[str, ...]) -> list[str]:
    """Files of git that differ from the commit, without those below `but`."""
    told = process.call(
        root, "git", "status", "--porcelain", "--untracked-files=no"
    ).stdout.splitlines()
    return [path for line in told if not (path := line[3:]).startswith(but)]


def lines(root: Path) -> list[str]:
    """Lines of the ledger; none where there is no ledger."""
    path = root / LEDGER
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def resource(run: Any) -> str:
    """Whose signs of life they are, by the id of the flow run."""
    return f"fer.stage-run.{run}"


def _claim(root: Path) -> None:
    """Marks the clone as a worker's, once; only a clone without any changes becomes one."""
    mark = root / MARK
    found = changed(root, but=OWN if mark.is_file() else ())
    if found:
        raise BadParams(
            f"{root}: {found[0]} holds changes that a worker would throw away; start workers in "
            "clones of their own, or commit"
        )
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _lease(stage: Stage, setting: Setting) -> devices.Lease | None:
    """A device, once one is free; None for a stage or a machine without."""
    if not (stage.hints.gpu and setting.devices):
        return None
    while True:
        if lease := devices.lease(setting.devices):
            return lease
        time.sleep(0.5)


@contextmanager
def _signs() -> Iterator[None]:
    """Signs of life while the block runs."""
    done = threading.Event()
    sender = {"prefect.resource.id": resource(flow_run.id)}

    def give() -> None:
        while not done.is_set():
            emit_event(ALIVE, resource=sender)
            done.wait(SIGN_EVERY)

    thread = threading.Thread(target=give, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
