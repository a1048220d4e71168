"""Orders to workers: which pool gets one, how it is followed, and what came of it."""

import json
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from math import inf
from typing import Any, Final
from uuid import uuid4

from httpx import HTTPError, HTTPStatusError
from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import WorkerStatus
from prefect.deployments import run_deployment
from prefect.events.filters import EventFilter, EventNameFilter, EventResourceFilter
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling, Crashed, State

from fer_pipeline.errors import PipelineError
from flows import worker
from flows.stages import StageFailed

LOST_AFTER: Final = 90.0
"""Seconds without a sign of life until a worker's run counts as lost."""

STARTS_WITHIN: Final = 900.0
"""Seconds that a worker has to start what it took; a container's image may have to come first."""

WORKERS_WITHIN: Final = 60.0
"""Seconds to wait for a worker where none is online."""

ANSWERS_WITHIN: Final = 600.0
"""Seconds that the server may be gone; workers go on meanwhile."""

TOLD_AFTER: Final = 300.0
"""Seconds that an order waits until the log says for whom."""

LOOK_EVERY: Final = 10.0
"""Seconds between two looks at who serves the pool of an order that waits."""


class NoWorkers(PipelineError):
    """No worker is online that would take an order."""


class Lost(PipelineError):
    """A worker did not end what it took, for no fault of the stage."""

    def __init__(self, told: str, by: str) -> None:
        super().__init__(told)
        self.by = by


class Refused(Lost):
    """A worker cannot carry out the order."""


def pool(gpu: bool, avoided: Collection[str], refused: Mapping[str, str]) -> tuple[str, list[str]]:
    """Which pool a stage goes to, and the workers that shall not take it there.

    The pool that it asks for where somebody serves it, else the other one. Workers that `refused`
    get nothing; those to be `avoided` only what nobody else would take.

    Raises: NoWorkers.
    """
    wanted = ("gpu", "cpu") if gpu else ("cpu", "gpu")
    deadline = time.monotonic() + WORKERS_WITHIN
    while True:
        online = {name: patiently(partial(_online, name)) for name in wanted}
        for shunned in ({*avoided, *refused}, {*refused}):
            if found := [name for name in wanted if online[name] - shunned]:
                if found[0] != wanted[0]:
                    get_run_logger().warning("nobody serves the pool %s: on %s", *wanted)
                return found[0], sorted(shunned)
        if any(online.values()):
            said = "; ".join(f"{name}: {why}" for name, why in sorted(refused.items()))
            raise NoWorkers(f"every worker that is online refuses: {said}")
        if time.monotonic() > deadline:
            raise NoWorkers(
                "no worker of the pools gpu and cpu is online; start one: prefect worker start "
                f"--pool {wanted[0]}"
            )
        time.sleep(1)


def place(pool: str, parameters: Mapping[str, Any], tag: str) -> Any:
    """Gives an order to the pool; the id of its run.

    Raises: NoWorkers without the pool's deployment.
    """
    key = str(uuid4())

    def give() -> Any:
        made: Any = run_deployment(
            f"stage/stage-{pool}",
            parameters=dict(parameters),
            flow_run_name=str(parameters["name"]),
            tags=[tag],
            idempotency_key=key,
            timeout=0,
        )
        return made.id

    try:
        return patiently(give)
    except ObjectNotFound:
        raise NoWorkers(
            f"the server has no deployment stage-{pool}; make deploy, or prefect deploy --all"
        ) from None


def follow(run: Any, stop: threading.Event) -> State[Any]:
    """The run's last state, once the worker has done what it was ordered.

    Raises: Lost, Refused; StageFailed for a stage that failed, or once the study stops.
    """
    seen = _Seen(run)
    with get_client(sync_client=True) as client:
        while True:
            if stop.is_set():
                with suppress(HTTPError, ObjectNotFound):
                    client.set_flow_run_state(run, Cancelling())
                raise StageFailed("stopped with its study; run again to go on")
            if state := patiently(lambda: seen.ended(client), seen.again):
                ended: State[Any] = state
                return ended
            time.sleep(1)


def left(tag: str) -> list[Any]:
    """Runs of orders with the tag, the last to begin last."""
    chosen = FlowRunFilter(tags=FlowRunFilterTags(all_=[tag]))
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(flow_run_filter=chosen)
    return sorted(found, key=lambda run: str(run.start_time or ""))


def returned(run: Any) -> Mapping[str, Any]:
    """What the worker gave back: its stage's entry for dvc.lock, and its uses of test sets."""

    def read() -> list[Any]:
        chosen = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        with get_client(sync_client=True) as client:
            return list(client.read_artifacts(artifact_filter=chosen))

    for one in patiently(read):
        if one.description == worker.RETURNED:
            back: Mapping[str, Any] = json.loads(str(one.data))
            return back
    return {"lock": None, "ledger": []}


def settle(run: Any, tag: str) -> None:
    """Notes that nothing is to be taken back from the run any more."""

    def change() -> None:
        with get_client(sync_client=True) as client:
            tags = client.read_flow_run(run).tags
            client.update_flow_run(run, tags=[one for one in tags if one != tag])

    patiently(change)


def cancel(run: Any) -> None:
    """Has its worker end the run."""
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run, Cancelling())


def patiently(call: Callable[[], Any], again: Callable[[], None] = lambda: None) -> Any:
    """What the call returns, once the server answers; `again` is called after each try without.

    Raises: StageFailed when it gives no answer for too long.
    """
    deadline = time.monotonic() + ANSWERS_WITHIN
    while True:
        try:
            return call()
        except HTTPError as error:
            if isinstance(error, HTTPStatusError) and not error.response.is_server_error:
                raise
            if time.monotonic() > deadline:
                raise StageFailed(
                    f"no answer from the server for {ANSWERS_WITHIN:.0f} s: {error}; what workers "
                    "run goes on: run again to take it back"
                ) from None
            get_run_logger().warning("the server gives no answer, trying again: %s", error)
        again()
        time.sleep(2)


class _Seen:
    """When a run last changed its state or gave a sign of life."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self._last: Any = None
        self._since = self._looked = time.monotonic()

    def again(self) -> None:
        """Counts anew: nothing was heard because nobody could listen."""
        self._since = time.monotonic()

    def ended(self, client: Any) -> State[Any] | None:
        """The state that the run has ended well in, None before. Raises what `follow` does."""
        try:
            run = client.read_flow_run(self._run)
        except ObjectNotFound:
            raise Lost(f"somebody deleted the run {self._run}", "") from None
        by = str(run.labels.get("prefect.worker.name", ""))
        state = run.state
        if state is None or state.is_scheduled() or state.is_pending():
            self._look(client, run, by)
            # What waits for a worker may wait for long.
            limit = STARTS_WITHIN if state is not None and state.is_pending() else inf
            self._note(state and state.id, by, limit, client)
        elif not state.is_final():
            self._note(_sign(client, self._run), by, LOST_AFTER, client)
        elif state.name == worker.REFUSED and by:
            raise Refused(f"{by} refused: {state.message}", by)
        elif state.name == worker.BROKEN or state.is_cancelled():
            raise StageFailed(f"{run.name} ended as {state.name}: {state.message}")
        elif not state.is_completed():
            raise Lost(f"its run on {by} ended as {state.name}: {state.message}", by)
        else:
            ended: State[Any] = state
            return ended
        return None

    def _look(self, client: Any, run: Any, by: str) -> None:
        """Sees to it that there still is who may take the order or, once taken, start it."""
        if time.monotonic() - self._looked < LOOK_EVERY:
            return
        self._looked = time.monotonic()
        online = _online(str(run.work_pool_name))
        # The name comes a little after the state.
        taken = run.state.is_pending() and by
        able = online & {by} if taken else online - {*run.parameters["avoid"]}
        if not able:
            client.set_flow_run_state(self._run, Cancelling())
            who = by or "every worker"
            raise Lost(f"{who} of the pool {run.work_pool_name} went offline", by)
        if run.state.is_scheduled() and time.monotonic() - self._since > TOLD_AFTER:
            self._since = time.monotonic()
            free = ", ".join(sorted(able))
            get_run_logger().warning("%s waits for a free place at %s", run.name, free)

    def _note(self, sign: Any, by: str, limit: float, client: Any) -> None:
        if sign != self._last:
            self._last, self._since = sign, time.monotonic()
        elif time.monotonic() - self._since > limit:
            client.set_flow_run_state(self._run, Crashed(message="no sign of life"), force=True)
            raise Lost(f"no sign of life for {limit:.0f} s from the run on {by}", by)


def _online(pool: str) -> set[str]:
    """Names of the workers that take orders from the pool."""
    with get_client(sync_client=True) as client:
        try:
            if client.read_work_pool(pool).is_paused:
                return set()
            found = client.read_workers_for_work_pool(pool)
        except ObjectNotFound:
            return set()
    return {one.name for one in found if one.status == WorkerStatus.ONLINE}


def _sign(client: Any, run: Any) -> Any:
    wanted = EventFilter(
        event=EventNameFilter(name=[worker.ALIVE]),
        resource=EventResourceFilter(id=[worker.resource(run)]),
    )
    found = client.read_events(wanted, limit=1).events
    return found[0].id if found else None
