"""The study as a Prefect flow: DVC's own graph, a task per stage, and what came of it.

`python -m flows [TARGET...]` runs it here, with no server needed; `--help` has the rest.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from prefect import flow, get_run_logger
from prefect.artifacts import create_image_artifact, create_link_artifact, create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import State
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from fer_pipeline.report.show import read
from flows import HOME, cluster, devices, gate, graph, lockfile, results, stages, workspace
from flows.board import Board, outcome
from flows.graph import Stage
from flows.stages import Setting

RUNNER: Any = ThreadPoolTaskRunner()
"""Threads without a bound: `Board` decides how many stages run, and these mostly wait."""


def tell_end(flow: Any, flow_run: Any, state: State[Any]) -> None:
    """Hook: emits `fer.study.completed`, `.failed`, `.cancelled` or `.crashed`."""
    emit_event(
        f"fer.study.{state.type.value.lower()}",
        resource={"prefect.resource.id": f"fer.study.{flow_run.id}"},
        payload={"run": flow_run.name, "message": state.message},
    )


@flow(
    name="study",
    task_runner=RUNNER,
    persist_result=False,
    on_completion=[tell_end],
    on_failure=[tell_end],
    on_cancellation=[tell_end],
    on_crashed=[tell_end],
)
def study(
    targets: list[str] = [],  # noqa: B006 Prefect shows the default and never changes it
    overrides: list[str] = [],  # noqa: B006
    profile: str = "",
    experiment: str = "",
    force: bool = False,
    mode: Literal["local", "cluster"] = "local",
    max_parallel: Annotated[int, Field(ge=1, le=64)] = 2,
    keep_going: bool = True,
    wait: Annotated[float, Field(ge=0)] = 0.0,
    alert_drop: Annotated[float, Field(ge=0, le=1)] = 0.02,
    root: str = "",
) -> State[Any]:
    """Runs what has changed of the pipeline, each stage of dvc.yaml as a task of its own.

    DVC decides what is stale; this flow decides when each stage runs: independent ones in
    parallel, those that want a GPU with one of their own where there is one. Overrides and
    profiles run in a copy and end as a DVC experiment; params.yaml stays as it is. Cancel it or
    kill it at any time: no process stays, and the next run goes on where this one was.

    Args:
        targets: stages or groups of dvc.yaml, such as train; none: the whole graph
        overrides: changed parameters, as in dvc exp run -S, such as train.lr=0.001
        profile: a file of params/ in place of params.yaml; empty: params.yaml
        experiment: name to save the result under; empty: the run's name
        force: run unchanged stages as well
        mode: local: stages run here; cluster: on workers of the pools gpu and cpu
        max_parallel: stages at once
        keep_going: after a failure, finish what does not need the failed stage
        wait: seconds to wait for another study on the same tree
        alert_drop: accuracy by which a result may be lower than the committed one without an event
        root: the repository; empty: the one of this flow
    """
    home = Path(root).resolve() if root else HOME
    copied = bool(overrides or profile)
    name = experiment or str(flow_run.name)
    workspace.check_name(name)
    with workspace.opened(home, overrides, profile, wait) as place:
        if lockfile.mend(place):
            get_run_logger().warning("a killed dvc left .dvc/tmp/rwlock half written; it is gone")
        away = cluster.site(place) if mode == "cluster" else None
        plan = graph.stages(place, targets)
        reasons = graph.stale(place, plan, force, without_data=away is not None)
        setting = Setting(place, devices.found(), force=force, remote=bool(away and away.remote))
        setting.extra = devices.share(max_parallel)
        setting.limited = _limit(len(setting.devices))
        get_run_logger().info(
            "%d stages, %d to run; %s",
            len(plan),
            len(reasons),
            _where(setting, away),
        )
        board = Board(plan, reasons, setting, max_parallel, keep_going, away)
        try:
            board.run()
        finally:
            setting.stop.set()
        if away:
            cluster.fetch(place, plan)
        show(place, plan, board.states)
        if not copied:
            tell_drops(place, alert_drop)
        state = outcome(plan, board.states)
        if state.is_completed() and (copied or experiment):
            workspace.save(place, home, name)
            state.message = f"{state.message}; kept: dvc exp apply {name}"
    return state


def show(root: Path, plan: Mapping[str, Stage], states: Mapping[str, str]) -> None:
    """Puts graph, metrics, differences, plots and report on the run's page."""
    table, graph_of = results.by_state(plan, states), results.mermaid(plan, states)
    create_markdown_artifact(
        key="study-graph", markdown=f"{table}\n\n{graph_of}", description="Stages by state"
    )
    files = [path for stage in plan.values() for path in stage.metrics]
    create_markdown_artifact(
        key="study-metrics", markdown=results.metrics(root, files), description="Metrics"
    )
    create_markdown_artifact(
        key="study-difference",
        markdown=results.difference(root, files),
        description="Metrics against the last commit",
    )
    ran = [stage for name, stage in plan.items() if states.get(name) == "Completed"]
    for path, url in results.pictures(root, ran).items():
        create_image_artifact(image_url=url, key=_key(path), description=path)
    validated = [
        path
        for name, stage in plan.items()
        if name.startswith("validate")
        for path in stage.metrics
    ]
    if validated:
        create_markdown_artifact(
            key="study-validation",
            markdown=results.metrics(root, validated),
            description="What validation counted",
        )
    for path in (out for stage in plan.values() for out in stage.outs if out.endswith(".html")):
        if (root / path).is_file():
            create_link_artifact(
                link=(root / path).as_uri(), link_text=path, key=_key(path), description=path
            )


def _key(path: str) -> str:
    return "study-" + "".join(c if c.isalnum() else "-" for c in path.lower()).strip("-")


def tell_drops(root: Path, points: float) -> None:
    """Emits `fer.metric.dropped` for each result that is lower than at the last commit."""
    if not (root / gate.SUMMARY).is_file():
        return
    for drop in gate.by_more_than(gate.accepted(root, "HEAD"), read(root / gate.SUMMARY), points):
        get_run_logger().warning("fell: %s", drop)
        emit_event(
            "fer.metric.dropped",
            resource={"prefect.resource.id": f"fer.metric.{drop.name}"},
            payload={"name": drop.name, "before": drop.before, "after": drop.after},
        )


def _where(setting: Setting, away: cluster.Site | None) -> str:
    if away:
        return f"on workers, commit {away.commit[:12]}"
    listed = ", ".join(setting.devices)
    return f"GPUs {listed}" if listed else "no GPU: all on the CPU"


def _limit(count: int) -> bool:
    """Makes or raises the server's limit of this machine's GPUs; False where there are none.

    Never lowers it: another flow here may have been given other devices.
    """
    if not count:
        return False
    with get_client(sync_client=True) as client:
        with suppress(ObjectNotFound):
            known = client.read_global_concurrency_limit_by_name(stages.limit())
            count = max(count, known.limit)
        client.upsert_global_concurrency_limit_by_name(stages.limit(), count)
    return True
