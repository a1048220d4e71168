"""Ingests and validates raw data that has changed: a quick flow for a schedule."""

from pathlib import Path
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.states import Completed, State
from pydantic import Field

from flows import HOME, graph, lock
from flows.study import RUNNER, study

STAGES = ("validate", "validate_across")


@flow(name="data-check", task_runner=RUNNER, persist_result=False)
def data_check(
    max_parallel: Annotated[int, Field(ge=1, le=64)] = 2,
    root: str = "",
) -> State[Any]:
    """Runs the pipeline from raw data to validation if any of it is stale, and nothing else.

    A hard finding fails the run, with the rows named in its log; the event fer.data.ready follows
    a good one.

    Args:
        max_parallel: stages at once
        root: the repository; empty: the one of this flow
    """
    place = Path(root).resolve() if root else HOME
    plan = graph.stages(place, STAGES)
    reasons = graph.stale(place, plan)
    if not reasons:
        return Completed(name="Cached", message=f"{len(plan)} stages: nothing has changed")
    for name, reason in list(reasons.items())[:5]:
        get_run_logger().info("%s: %s", name, reason)
    try:
        with lock.working_tree(place, 0.0):
            pass
    except lock.Busy as busy:
        # It comes again by its schedule; the study that runs validates the data itself.
        return Completed(message=f"not now: {busy}")
    return study(targets=list(STAGES), max_parallel=max_parallel, root=root, return_state=True)
