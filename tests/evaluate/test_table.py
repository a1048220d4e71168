"""Rows of the predictions table: what cannot be a prediction is refused."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from fer_pipeline.dimensions import DIMENSIONS
from fer_pipeline.errors import BadManifest
from fer_pipeline.evaluate.table import rows_of
from fer_pipeline.evaluate.targets import Faces, Items

CLASSES = ("anger", "happiness")


def rows(shares: list[list[float]], tested: list[bool]) -> pa.Table:
    """The table of one repeat over as many items as there are shares."""
    count = len(shares)
    names = [f"rafdb/{n}" for n in range(count)]
    columns = {name: pa.nulls(count) for name in ("subject", "votes", *DIMENSIONS)}
    faces = Faces("rafdb", None, pa.table({"id": names, **columns}), np.empty(count, object))
    members = [np.array([n]) for n in range(count)]
    items = Items(
        ids=names,
        emotions=["anger"] * count,
        rows=np.arange(count),
        members=members,
        peaks=np.full(count, -1),
        tested=np.array([tested]),
        coverage={},
    )
    card = SimpleNamespace(name="simple_cnn", source="rafdb", dimensions=())
    run = SimpleNamespace(repeat=3, card=card)
    nothing = np.zeros((count, 0)), np.zeros(count, bool), np.full(count, None, object)
    return rows_of(run, faces, items, 0, CLASSES, np.array(shares, np.float32), *nothing)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_probability_that_is_not_finite_is_refused(broken):
    with pytest.raises(
        BadManifest, match=r"simple_cnn trained on rafdb, repeat 3.*rafdb/1 "
    ) as told:
        rows([[0.4, 0.6], [broken, broken], [broken, 1.0]], [True] * 3)
    assert "(2 such items)" in str(told.value)


def test_items_that_the_repeat_does_not_test_have_no_probability_and_no_row():
    found = rows([[0.4, 0.6], [float("nan")] * 2], [True, False])
    assert found["predicted"].to_pylist() == ["happiness"]
