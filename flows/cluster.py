"""Stages on other machines: what the controller asks for, what a worker does, what comes back.

Each worker has its own clone and its own cache. Code comes by git, data by DVC's remote; back come
the stage's entry for dvc.lock and its lines for the ledger of test uses.
"""

import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.deployments import run_deployment
from prefect.events import emit_event
from prefect.events.filters import EventFilter, EventNameFilter, EventResourceFilter
from prefect.runtime import flow_run
from prefect.states import Cancelling, Completed, Crashed, State

from fer_pipeline.errors import BadParams, PipelineError
from fer_pipeline.outputs import write_text
from flows import HOME, devices, graph, lock, process, profiles, stages
from flows.graph import Stage
from flows.stages import Setting, StageFailed

LEDGER: Final = "metrics/test_uses.jsonl"
"""Grows with each evaluation and is git's to keep: it travels with the stage's result."""

OWN: Final = ("params.yaml", "dvc.lock", "metrics")
"""What may differ from the commit: it travels with each order."""

MARK: Final = Path(".dvc") / "tmp" / "worker"
"""Is there in a clone that belongs to a worker."""

ALIVE: Final = "fer.stage.alive"
SIGN_EVERY: Final = 5.0
"""Seconds between two signs of life of a worker's stage."""

LOST_AFTER: Final = 90.0
"""Seconds without one until it counts as lost."""

TRIES: Final = 3
"""How often a stage is given to a worker; a failure of the stage itself is not tried again."""

TREE_WAIT: Final = 3600.0
"""Seconds that a worker's stage waits for another one in the same clone."""

RETURNED: Final = "what the controller takes back"


class Lost(PipelineError):
    """A worker gives no sign of life any more."""


@flow(name="stage", persist_result=False)
def stage(name: str, commit: str, params: str, lock_text: str, force: bool = False) -> State[Any]:
    """Runs one stage in this worker's clone; a study in mode cluster starts it.

    Args:
        name: the stage, as in dvc.yaml
        commit: what to check out; the clone's own changes are thrown away
        params: content of params.yaml
        lock_text: content of dvc.lock so far
        force: run the stage even if nothing has changed
    """
    with _signs(), lock.working_tree(HOME, TREE_WAIT):
        place(HOME, commit, params, lock_text)
        one = graph.stages(HOME, [name])[name]
        setting = Setting(HOME, devices.found(), force=force, remote=True)
        before = _lines(HOME)
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
            new = [line for line in _lines(HOME) if line not in before]
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
    if _git(root, "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        _git(root, "fetch", "-q", "origin")
    former = profiles.recorded(root)
    done = _git(root, "checkout", "-q", "--force", "--detach", commit)
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


def _claim(root: Path) -> None:
    """Marks the clone as a worker's, once; only a clone without any changes becomes one."""
    mark = root / MARK
    changed = _changed(root, but=OWN if mark.is_file() else ())
    if changed:
        raise BadParams(
            f"{root}: {changed[0]} holds changes that a worker would throw away; start workers in "
            "clones of their own, or commit"
        )
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _changed(root: Path, but: tuple[str, ...]) -> list[str]:
    """Files of git that differ from the commit, without those below `but`."""
    told = _git(root, "status", "--porcelain", "--untracked-files=no").stdout.splitlines()
    return [path for line in told if not (path := line[3:]).startswith(but)]


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
    if unseen := _changed(root, but=OWN):
        raise BadParams(
            f"{root}: {unseen[0]} differs from the commit; workers run commits: commit and push it"
        )
    if not graph.has_remote(root):
        raise BadParams(f"{root}: DVC has no remote; dvc remote add -d NAME URL, on each clone")
    commit = _git(root, "rev-parse", "HEAD").stdout.strip()
    return Site(root, commit, (root / "params.yaml").read_text(encoding="utf-8"))


@task(cache_policy=NO_CACHE, persist_result=False)
def elsewhere(stage: Stage, reason: str | None, site: Site, setting: Setting) -> State[Any]:
    """Gives a stage that has a reason to run to a worker, and takes back what came of it.

    Raises: StageFailed.
    """
    if reason is None:
        return Completed(name="Cached", message="nothing it depends on has changed")
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


def fetch(root: Path, plan: Mapping[str, Stage]) -> None:
    """Brings the metrics and plots of the plan here; the rest stays on the remote.

    What cannot be fetched, such as outputs of a stage that failed, is left out.
    """
    files = [path for stage in plan.values() for path in (*stage.metrics, *stage.plots)]
    if files:
        process.dvc(root, "pull", "--force", "--allow-missing", *files)


def _order(stage: Stage, site: Site, setting: Setting) -> Any:
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
        event=EventNameFilter(name=[ALIVE]), resource=EventResourceFilter(id=[_resource(run)])
    )
    found = client.read_events(wanted, limit=1).events
    return found[0].id if found else None


def _take_back(stage: Stage, site: Site, run: Any) -> None:
    with get_client(sync_client=True) as client:
        chosen = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        found = client.read_artifacts(artifact_filter=chosen)
    back: Mapping[str, Any] = next(
        json.loads(str(one.data)) for one in found if one.description == RETURNED
    )
    with site.guard:
        graph.lock_in(site.root, stage.name, back["lock"])
        known = _lines(site.root)
        new = [line for line in back["ledger"] if line not in known]
        if new:
            (site.root / LEDGER).parent.mkdir(parents=True, exist_ok=True)
            write_text(site.root / LEDGER, "".join(f"{line}\n" for line in [*known, *new]))


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
    resource = {"prefect.resource.id": _resource(flow_run.id)}

    def give() -> None:
        while not done.is_set():
            emit_event(ALIVE, resource=resource)
            done.wait(SIGN_EVERY)

    thread = threading.Thread(target=give, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()


def _resource(run: Any) -> str:
    return f"fer.stage-run.{run}"


def _lines(root: Path) -> list[str]:
    path = root / LEDGER
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
