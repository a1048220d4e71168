"""One trained model on the test rows of every dataset."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fer_pipeline.evaluate import forward, leaks, table, targets
from fer_pipeline.evaluate.leaks import Trained
from fer_pipeline.evaluate.runs import Run
from fer_pipeline.evaluate.targets import Faces, Items
from fer_pipeline.evaluate.views import Kind
from fer_pipeline.outputs import digest
from fer_pipeline.predictions import PREDICTIONS


@dataclass(frozen=True)
class Tested:
    """What came of one target.

    classes   shared by model and target, in the order of EMOTIONS
    absent    classes of the model that the target has not
    coverage  as in `Items`
    folds     of the own set, where it has folds: how many were `tested` of `all`, and how many
              repeats tested one `again`; else None
    rows      of the predictions table, repeat after repeat
    viewed    kind of views -> such rows of their mean answers
    uses      one ledger entry per repeat that tested anything
    """

    target: str
    classes: tuple[str, ...]
    absent: tuple[str, ...]
    coverage: dict[str, int]
    folds: dict[str, int] | None
    rows: pa.Table
    viewed: dict[str, pa.Table]
    uses: list[dict[str, object]]


@dataclass(frozen=True)
class Places:
    """Folders with one Parquet file per dataset."""

    faces: Path
    leaks: Path

    def read(self, dataset: str) -> Faces:
        """The dataset's faces without pictures."""
        name = f"{dataset}.parquet"
        return targets.load(dataset, self.faces / name, self.leaks / name)


def evaluate(
    found: Sequence[Run],
    seen: Sequence[Trained],
    names: Sequence[str],
    places: Places,
    batch: int,
    device: str,
    distance: int,
    kinds: Sequence[Kind] = (),
) -> Iterator[Tested]:
    """Tests the runs on each named dataset in turn; on clips where the model takes clips.

    Sets that have no clips are left out then. seen: what each run was trained on. distance: bits
    between near duplicates. kinds: of views beside the plain picture.
    """
    card = found[0].card
    read = cache(places.read)
    for name in names:
        target = read(name) if name == card.source else places.read(name)
        if card.input.frames > 1 and target.rows["sequence"].null_count == target.rows.num_rows:
            continue
        classes = targets.shared_classes(name, card.classes)
        repeats = [run.repeat for run in found]
        items = targets.items(target, name == card.source, repeats, classes, card.input.frames)
        shares, rated = forward.answers(found, items, target.path, classes, batch, device, kinds)
        marked = _marks(seen, read, target, items, distance)
        again = leaks.repeated(target, items)
        tables = {
            name: [
                table.rows_of(
                    run,
                    target,
                    items,
                    place,
                    classes,
                    own[place],
                    rated[name][place],
                    again,
                    marked[place],
                )
                for place, run in enumerate(found)
            ]
            for name, own in shares.items()
        }
        parts = tables.pop(forward.PLAIN)
        rows = _joined(parts)
        viewed = {name: _joined(own) for name, own in tables.items()}
        uses = [use(run, name, part) for run, part in zip(found, parts, strict=True)]
        absent = tuple(emotion for emotion in card.classes if emotion not in classes)
        kept = [entry for entry, part in zip(uses, parts, strict=True) if part.num_rows]
        folds = _folds(target, repeats) if name == card.source else None
        yield Tested(name, classes, absent, items.coverage, folds, rows, viewed, kept)


def _joined(parts: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables([PREDICTIONS.empty_table(), *parts])


def _folds(own: Faces, repeats: Sequence[int]) -> dict[str, int] | None:
    count = targets.folds(own)
    if not count:
        return None
    tested = len({repeat % count for repeat in repeats})
    return {"tested": tested, "all": count, "again": len(repeats) - tested}


def trained(found: Sequence[Run], places: Places) -> list[Trained]:
    """What each run has seen of its source; read once where all repeats share their splits."""
    kinds = {targets.rules(card.source).kind for card in found[0].card.lineage()}
    seen: list[Trained] = []
    for run in found:
        if seen and kinds == {"official"}:
            seen.append(seen[0])
        else:
            seen.append(leaks.trained(run.card, places.faces, places.leaks))
    return seen


def use(run: Run, target: str, rows: pa.Table) -> dict[str, Any]:
    """The ledger entry of these weights on these test rows."""
    return {
        "model": run.card.name,
        "source": run.card.source,
        "repeat": run.repeat,
        "target": target,
        "weights": run.weights,
        "rows": digest(sorted(rows["id"].to_pylist())),
        "count": rows.num_rows,
    }


def _marks(
    seen: Sequence[Trained],
    read: Callable[[str], Faces],
    target: Faces,
    items: Items,
    distance: int,
) -> list[np.ndarray]:
    marked: list[np.ndarray] = []
    for place, part in enumerate(seen):
        if place and part is seen[place - 1]:
            marked.append(marked[-1])
        else:
            marked.append(leaks.marks(part, read, target, items, distance))
    return marked
