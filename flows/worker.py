"""A worker's part of a study over many machines: one stage, in a clone of its own.

Code comes by git, data by DVC's remote; back go the stage's entry for dvc.lock and its lines for
the ledger of test uses.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.states import Failed, State

from fer_pipeline.errors import PipelineError
from flows import HOME, clones, devices, graph, stages
from flows.graph import Stage
from flows.stages import Setting

STORAGE: Final = "FER_TUNE_STORAGE"
"""Where the stage tune finds the URL of its storage."""

ALIVE: Final = "fer.stage.alive"
SIGN_EVERY: Final = 5.0
"""Seconds between two signs of life."""

RETURNED: Final = "what the controller takes back"

REFUSED: Final = "Refused"
"""State of an order that this worker cannot carry out, and another one may."""

BROKEN: Final = "StageFailed"
"""State of an order whose stage failed; it would fail elsewhere, too."""

REST: Final = 30.0
"""Seconds that a worker which refused keeps its place, so that the next one gets the order."""

NAME: Final = "PREFECT__WORKER_NAME"
"""Where Prefect's worker tells its runs who it is."""


def rest(flow: Any, flow_run: Any, state: State[Any]) -> None:
    """Hook of a run that ended: stays for a while where it was refused."""
    if state.name == REFUSED:
        time.sleep(REST)


@flow(name="stage", persist_result=False, on_failure=[rest])
def stage(
    name: str,
    commit: str,
    params: str,
    lock_text: str,
    force: bool = False,
    storage: str = "",
    tree: str = "",
    study: str = "",
    avoid: list[str] = [],  # noqa: B006 Prefect shows the default and never changes it
) -> State[Any]:
    """Runs one stage in a clone of this worker's; a study in mode cluster starts it.

    Args:
        name: the stage, as in dvc.yaml
        commit: what to check out
        params: content of params.yaml
        lock_text: content of dvc.lock so far
        force: run the stage even if nothing has changed
        storage: URL of the trials that this worker shares with others, for a stage of tune
        tree: where the study is, if workers share its cache because DVC has no remote
        study: name of that tree
        avoid: names of workers that the controller does not want to run it
    """
    with _signs(), ExitStack() as held:
        try:
            if (me := os.environ.get(NAME)) in avoid:
                raise clones.Unusable(f"the order is for another worker than {me}")
            cache = clones.cache_of(tree, study) if tree else ""
            clone = held.enter_context(clones.taken(HOME))
            clones.place(HOME, clone, commit, params, lock_text, cache)
            one = graph.stages(clone, [name])[name]
            if cache and one.needs:
                clones.check_out(clone, one.needs)
        except (PipelineError, OSError) as error:
            return Failed(name=REFUSED, message=" ".join(str(error).split()))
        extra = {STORAGE: storage} if storage else {}
        remote = not cache
        state = _run(one, Setting(clone, devices.found(), force=force, remote=remote, extra=extra))
        _hand_over(clone, name, state)
        return Failed(name=BROKEN, message=state.message) if state.is_failed() else state


def resource(run: Any) -> str:
    """Whose signs of life they are, by the id of the flow run."""
    return f"fer.stage-run.{run}"


def _run(one: Stage, setting: Setting) -> State[Any]:
    lease = _lease(one, setting)
    run: Any = stages.run.with_options(**stages.options(one, setting))
    try:
        state: State[Any] = run(
            stage=one, reason="asked for", lease=lease, setting=setting, return_state=True
        )
    finally:
        if lease:
            lease.__exit__(None, None, None)
    return state


def _hand_over(clone: Path, name: str, state: State[Any]) -> None:
    """A stage that failed has no entry for dvc.lock, but may have used a test set."""
    entry = graph.locked(clone, name) if state.is_completed() else None
    back = {"lock": entry, "ledger": clones.uses(clone)}
    create_markdown_artifact(markdown=json.dumps(back), description=RETURNED)
    clones.hand_over(clone)


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
