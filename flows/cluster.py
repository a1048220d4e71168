"""The controller's part of a study over many machines: who runs what, and what comes back."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import yaml
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, State

from fer_pipeline.errors import BadParams, PipelineError
from fer_pipeline.evaluate import ledger
from fer_pipeline.outputs import write_text
from flows import clones, graph, orders, process
from flows.graph import Stage
from flows.host import HOST
from flows.orders import Lost, Refused
from flows.stages import Crew, Setting, StageFailed

TRIES: Final = 3
"""How often a stage is given to a worker; a failure of the stage itself is not tried again."""

OWN: Final = ("params.yaml", "dvc.lock", "metrics")
"""What may differ from the commit: it travels with each order."""


@dataclass(frozen=True)
class Site:
    """What the orders of one study have in common.

    name     of the tree, by which it finds its orders again
    remote   whether DVC has one; if not, workers share the tree's cache
    left     runs that a killed study here left, and their orders; they do what this one needs
    refused  workers that cannot carry out orders, and why
    guard    held while dvc.lock or `left` changes
    """

    root: Path
    commit: str
    params: str
    name: str
    remote: bool = True
    left: list[tuple[Any, Mapping[str, Any]]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def tag(self) -> str:
        """Marks the study's orders until their results are taken back."""
        return f"fer-order-{self.name}"


def site(root: Path) -> Site:
    """The study's site, with what an earlier study here left at the workers taken over.

    Raises: BadParams for changes that workers would not see.
    """
    made = checked(root)
    for run in orders.left(made.tag):
        fits = run.parameters["commit"] == made.commit and run.parameters["params"] == made.params
        if run.state.is_final():
            _take_back(run.parameters["name"], made, run.id, fits and run.state.is_completed())
        elif fits and run.state.name != "Cancelling":
            made.left.append((run.id, run.parameters))
        else:
            orders.cancel(run.id)
    return made


def checked(root: Path) -> Site:
    """The site of a tree that workers can run.

    Raises: BadParams.
    """
    if unseen := _changed(root):
        raise BadParams(
            f"{root}: {unseen[0]} differs from the commit; workers run commits: commit and push it"
        )
    commit = process.call(root, "git", "rev-parse", "HEAD").stdout.strip()
    if not (root / clones.NAME).is_file():
        write_text(root / clones.NAME, uuid4().hex)
    name = (root / clones.NAME).read_text(encoding="utf-8")
    params = (root / "params.yaml").read_text(encoding="utf-8")
    return Site(root, commit, params, name, graph.has_remote(root))


@task(cache_policy=NO_CACHE, persist_result=False)
def elsewhere(stage: Stage, reason: str | None, site: Site, setting: Setting) -> State[Any]:
    """Gives a stage that has a reason to run to a worker, and takes back what came of it.

    Raises: StageFailed, orders.NoWorkers.
    """
    if reason is None:
        return Completed(name="Cached", message="nothing it depends on has changed")
    if setting.crew is not None and setting.crew.stage == stage.name:
        return _together(stage, site, setting, setting.crew)
    run, state = _done(stage, site, setting)
    _take_back(stage.name, site, run, True)
    return Completed(name=state.name, message=state.message)


def _done(stage: Stage, site: Site, setting: Setting, storage: str = "") -> tuple[Any, State[Any]]:
    """The run that did the stage, and its state; a worker that is lost is replaced.

    Raises: StageFailed, orders.NoWorkers.
    """
    lost: list[Lost] = []
    while len(lost) < TRIES:
        run = _order(stage, site, setting, storage, {error.by for error in lost})
        try:
            return run, orders.follow(run, setting.stop)
        except Refused as error:
            if error.by not in {*site.refused, *(one.by for one in lost)}:
                get_run_logger().warning("%s gets no orders any more: %s", error.by, error)
                site.refused[error.by] = str(error)
        except Lost as error:
            lost.append(error)
            get_run_logger().warning("try %d of %d: %s", len(lost), TRIES, error)
    raise StageFailed(f"{stage.name}: {TRIES} workers were lost with it; the last: {lost[-1]}")


def _together(stage: Stage, site: Site, setting: Setting, crew: Crew) -> State[Any]:
    """Gives the stage to all workers of a crew; one that ends well is enough.

    Raises: StageFailed.
    """
    with ThreadPoolExecutor(crew.workers) as pool:
        asked = [
            # Its thread writes to this task's log.
            pool.submit(copy_context().run, _done, stage, site, setting, crew.storage)
            for _ in range(crew.workers)
        ]
    failed = [error for one in asked if isinstance(error := one.exception(), PipelineError)]
    for error in failed:
        get_run_logger().warning("a worker of %s: %s", stage.name, error)
    if len(failed) == crew.workers:
        raise StageFailed(f"{stage.name}: none of {crew.workers} workers ended well: {failed[0]}")
    for one in asked:
        if one.exception() not in failed:
            _take_back(stage.name, site, one.result()[0], True)
    return Completed(message=f"{crew.workers - len(failed)} of {crew.workers} workers")


def fetch(root: Path, plan: Mapping[str, Stage]) -> None:
    """Brings the metrics and plots of the plan here; the rest stays on the remote, if there is one.

    What cannot be fetched, such as outputs of a stage that failed, is left out.
    """
    files = [path for stage in plan.values() for path in (*stage.metrics, *stage.plots)]
    if files and graph.has_remote(root):
        HOST.call(root, "pull", "--force", "--allow-missing", *files)


def _order(stage: Stage, site: Site, setting: Setting, storage: str, avoided: set[str]) -> Any:
    with site.guard:
        path = site.root / "dvc.lock"
        lock_text = path.read_text(encoding="utf-8") if path.is_file() else ""
    parameters = {
        "name": stage.name,
        "commit": site.commit,
        "params": site.params,
        "lock_text": lock_text,
        "force": setting.force,
        "storage": storage,
        "tree": "" if site.remote else str(site.root),
        "study": "" if site.remote else site.name,
    }
    if left := _adopted(stage, site, parameters):
        get_run_logger().info("a worker already runs it for a study that was ended here")
        return left
    pool, avoid = orders.pool(stage.hints.gpu, avoided, site.refused)
    return orders.place(pool, {**parameters, "avoid": avoid}, site.tag)


def _adopted(stage: Stage, site: Site, parameters: Mapping[str, Any]) -> Any:
    """The id of a run that was given the same order, if one is left; others of the stage end."""
    with site.guard:
        mine = [one for one in site.left if one[1]["name"] == stage.name]
        for one in mine:
            site.left.remove(one)
            run, order = one
            if _same(stage, order, parameters):
                return run
            orders.cancel(run)
    return None


def _same(stage: Stage, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two orders come to the same: what else became of stages does not matter."""
    words = ("force", "storage", "tree")
    had, has = (_entries(order["lock_text"], stage.needs) for order in (one, other))
    return had == has and all(one[word] == other[word] for word in words)


def _entries(lock_text: str, names: tuple[str, ...]) -> list[Any]:
    known = (yaml.safe_load(lock_text) or {}).get("stages") or {}
    return [known.get(name) for name in names]


def _take_back(name: str, site: Site, run: Any, whole: bool) -> None:
    """Takes back uses of test sets and, where it is the `whole` result, the entry for dvc.lock."""
    back = orders.returned(run)
    with site.guard:
        ledger.record(site.root / clones.LEDGER, back["ledger"])
        if whole and back["lock"]:
            graph.lock_in(site.root, name, back["lock"])
            graph.drop_outdated(site.root, name)
            if not site.remote:
                clones.check_out(site.root, [name])
    orders.settle(run, site.tag)


def _changed(root: Path) -> list[str]:
    """Files that differ from the commit, or are not in it, and travel with no order."""
    words = ("git", "status", "--porcelain", "--untracked-files=all")
    told = process.call(root, *words).stdout.splitlines()
    lines = [(line[:2], line[3:]) for line in told if not line[3:].startswith(OWN)]
    changed = [path for state, path in lines if state != "??"]
    fresh = [path for state, path in lines if state == "??"]
    needed = graph.inputs(root) if fresh else frozenset()
    return changed + [
        path for path in fresh if not needed.isdisjoint([path, *map(str, Path(path).parents)])
    ]
