"""The controller's part of a study over many machines: who runs what, and what comes back."""

import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.deployments import run_deployment
from prefect.events.filters import EventFilter, EventNameFilter, EventResourceFilter
from prefect.states import Cancelling, Completed, Crashed, State

from fer_pipeline.errors import BadParams, PipelineError
from fer_pipeline.outputs import write_text
from flows import graph, process, worker
from flows.graph import Stage
from flows.host import HOST
from flows.stages import Crew, Setting, StageFailed

LOST_AFTER: Final = 90.0
"""Seconds without a sign of life until a worker's run counts as lost."""

TRIES: Final = 3
"""How often a stage is given to a worker; a failure of the stage itself is not tried again."""


class Lost(PipelineError):
    """A worker gives no sign of life any more."""


@dataclass(frozen=True)
class Site:
    """What the orders of one study have in common; `guard` is held while dvc.lock is written."""

    root: Path
    commit: str
    params: str
    guard: threading.Lock = field(default_factory=threading.Lock)


def site(root: Path) -> Site:
    """The study's site.

    Raises: BadParams for changes that workers would not see, or without a DVC remote.
    """
    if unseen := worker.changed(root, but=worker.OWN):
        raise BadParams(
            f"{root}: {unseen[0]} differs from the commit; workers run commits: commit and push it"
        )
    if not graph.has_remote(root):
        raise BadParams(f"{root}: DVC has no remote; dvc remote add -d NAME URL, on each clone")
    commit = process.call(root, "git", "rev-parse", "HEAD").stdout.strip()
    return Site(root, commit, (root / "params.yaml").read_text(encoding="utf-8"))


@task(cache_policy=NO_CACHE, persist_result=False)
def elsewhere(stage: Stage, reason: str | None, site: Site, setting: Setting) -> State[Any]:
    """Gives a stage that has a reason to run to a worker, and takes back what came of it.

    Raises: StageFailed.
    """
    if reason is None:
        return Completed(name="Cached", message="nothing it depends on has changed")
    if setting.crew is not None and setting.crew.stage == stage.name:
        return _together(stage, site, setting, setting.crew)
    for number in range(1, TRIES + 1):
        ordered = _order(stage, site, setting)
        try:
            state = _followed(ordered, setting.stop)
        except Lost as error:
            get_run_logger().warning("try %d of %d: %s", number, TRIES, error)
            continue
        if not state.is_completed():
            raise StageFailed(f"{stage.name} ended as {state.name}: {state.message}")
        _take_back(stage, site, ordered)
        return Completed(name=state.name, message=state.message)
    raise StageFailed(f"{stage.name}: {TRIES} workers were lost with it")


def _together(stage: Stage, site: Site, setting: Setting, crew: Crew) -> State[Any]:
    """Gives the stage to all workers of a crew; one that ends well is enough.

    Raises: StageFailed.
    """
    ordered = [_order(stage, site, setting, crew.storage) for _ in range(crew.workers)]
    with ThreadPoolExecutor(crew.workers) as pool:
        ended = list(pool.map(lambda run: _end(run, setting.stop), ordered))
    good = [run for run, said in zip(ordered, ended, strict=True) if said is None]
    for said in filter(None, ended):
        get_run_logger().warning("a worker of %s: %s", stage.name, said)
    if not good:
        raise StageFailed(f"{stage.name}: none of {crew.workers} workers ended well: {ended[0]}")
    for run in good:
        _take_back(stage, site, run)
    return Completed(message=f"{len(good)} of {crew.workers} workers")


def _end(run: Any, stop: threading.Event) -> str | None:
    """Waits for a worker's run; None when it ended well, else what came of it."""
    try:
        state = _followed(run, stop)
    except (Lost, StageFailed) as error:
        return str(error)
    return None if state.is_completed() else f"{state.name}: {state.message}"


def fetch(root: Path, plan: Mapping[str, Stage]) -> None:
    """Brings the metrics and plots of the plan here; the rest stays on the remote.

    What cannot be fetched, such as outputs of a stage that failed, is left out.
    """
    files = [path for stage in plan.values() for path in (*stage.metrics, *stage.plots)]
    if files:
        HOST.call(root, "pull", "--force", "--allow-missing", *files)


def _order(stage: Stage, site: Site, setting: Setting, storage: str = "") -> Any:
    with site.guard:
        path = site.root / "dvc.lock"
        lock_text = path.read_text(encoding="utf-8") if path.is_file() else ""
    ordered: Any = run_deployment(
        f"stage/stage-{'gpu' if stage.hints.gpu else 'cpu'}",
        parameters={
            "name": stage.name,
            "commit": site.commit,
            "params": site.params,
            "lock_text": lock_text,
            "force": setting.force,
            "storage": storage,
        },
        flow_run_name=stage.name,
        timeout=0,
    )
    return ordered.id


def _followed(run: Any, stop: threading.Event) -> State[Any]:
    """The last state of a worker's run.

    Raises: Lost when it gave no sign of life for too long; StageFailed once the study stops.
    """
    seen: Any = None
    since = time.monotonic()
    with get_client(sync_client=True) as client:
        while True:
            state = client.read_flow_run(run).state
            if state is not None and state.is_final():
                return state
            if stop.is_set():
                client.set_flow_run_state(run, Cancelling())
                raise StageFailed("stopped with its study; run again to go on")
            sign = _sign(client, run)
            if sign != seen or state is None or state.is_scheduled():
                seen, since = sign, time.monotonic()
            elif time.monotonic() - since > LOST_AFTER:
                client.set_flow_run_state(run, Crashed(message="no sign of life"), force=True)
                raise Lost(f"no sign of life for {LOST_AFTER:.0f} s from run {run}")
            time.sleep(1)


def _sign(client: Any, run: Any) -> Any:
    wanted = EventFilter(
        event=EventNameFilter(name=[worker.ALIVE]),
        resource=EventResourceFilter(id=[worker.resource(run)]),
    )
    found = client.read_events(wanted, limit=1).events
    return found[0].id if found else None


def _take_back(stage: Stage, site: Site, run: Any) -> None:
    with get_client(sync_client=True) as client:
        chosen = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        found = client.read_artifacts(artifact_filter=chosen)
    back: Mapping[str, Any] = next(
        json.loads(str(one.data)) for one in found if one.description == worker.RETURNED
    )
    with site.guard:
        graph.lock_in(site.root, stage.name, back["lock"])
        known = worker.lines(site.root)
        new = [line for line in back["ledger"] if line not in known]
        if new:
            (site.root / worker.LEDGER).parent.mkdir(parents=True, exist_ok=True)
            write_text(site.root / worker.LEDGER, "".join(f"{line}\n" for line in [*known, *new]))
