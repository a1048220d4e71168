"""The study of one model's values as a Prefect flow: many workers, one study."""

from pathlib import Path
from typing import Annotated, Any

from prefect import flow
from prefect.states import State
from pydantic import Field

from fer_pipeline import params
from fer_pipeline.errors import BadParams
from flows import HOME, cluster, graph, lock
from flows.board import Board, outcome
from flows.stages import Crew, Setting
from flows.study import RUNNER, show


@flow(name="tune", task_runner=RUNNER, persist_result=False)
def tune(
    model: str,
    storage: str,
    workers: Annotated[int, Field(ge=1, le=64)] = 2,
    wait: Annotated[float, Field(ge=0)] = 0.0,
    root: str = "",
) -> State[Any]:
    """Searches the values that serve a model best, on several workers at once.

    What the stage needs is run first where it is stale. Then so many workers run the stage
    tune@MODEL (tune_clips@MODEL of a model for clips), each in a clone, and take trials
    of one study from the storage until it has as many as params.yaml asks for. A worker that is
    lost costs its trial's time: another one runs it again.

    Args:
        model: a line of `studies` or `clip_studies` in params.yaml
        storage: URL that all workers reach, such as postgresql://user@host/database, or
            journal:///shared/folder/tune.log; passwords belong into the workers' ~/.pgpass
        workers: how many take part
        wait: seconds to wait for another study on the same tree
        root: the repository; empty: the one of this flow
    """
    _check(storage)
    place = Path(root).resolve() if root else HOME
    name = _stage(place, model)
    with lock.working_tree(place, wait):
        site = cluster.site(place)
        plan = graph.stages(place, [name])
        reasons = graph.stale(place, plan, without_data=True)
        setting = Setting(place, remote=site.remote, crew=Crew(name, workers, storage))
        board = Board(plan, reasons, setting, max(workers, 2), keep_going=True, away=site)
        try:
            board.run()
        finally:
            setting.stop.set()
        cluster.fetch(place, plan)
        show(place, plan, board.states)
        return outcome(plan, board.states)


def _stage(place: Path, model: str) -> str:
    clips = model in params.axis(place / "params.yaml", "clip_studies")
    return f"tune_clips@{model}" if clips else f"tune@{model}"


def _check(storage: str) -> None:
    scheme, found, rest = storage.partition("://")
    if not found or not rest:
        raise BadParams(
            f"storage = {storage!r} is no URL; several workers share trials through "
            "postgresql://user@host/database or journal:///shared/folder/tune.log"
        )
    if ":" in rest.rpartition("@")[0]:
        raise BadParams(
            f"storage: a password in a {scheme} URL would be shown to all; put it into ~/.pgpass "
            "of the workers"
        )
