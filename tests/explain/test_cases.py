import pytest

from fer_pipeline.errors import MissingData
from fer_pipeline.explain.cases import Case, drawn, read, shown

pytestmark = pytest.mark.xdist_group("explain")

CASES = [
    Case("a", "fear", "fear", 0.6),
    Case("b", "fear", "fear", 0.9),
    Case("c", "fear", "anger", 0.7),
    Case("d", "anger", "anger", 0.6),
    Case("e", "fear", "fear", 0.6),
]


def test_shown_are_the_surest_right_and_wrong_of_each_emotion():
    cells = shown(CASES, ("anger", "fear"), 2)
    names = {key: [case.id for case in row] for key, row in cells.items()}
    assert names == {
        ("anger", True): ["d"],
        ("anger", False): [],
        ("fear", True): ["b", "a"],
        ("fear", False): ["c"],
    }


def test_drawn_does_not_depend_on_row_order_but_on_the_seed():
    many = [Case(str(i), "fear", "fear", 0.5) for i in range(50)]
    first = {case.id for case in drawn(many, 10, seed=0)}
    assert first == {case.id for case in drawn(many[::-1], 10, seed=0)}
    assert first != {case.id for case in drawn(many, 10, seed=1)}
    assert len(first) == 10
    assert len(drawn(many, 99, seed=0)) == 50


def test_read_gives_every_own_test_row(world):
    cases = read(world.folder / "predictions.parquet", "simple_cnn", "drawn")
    assert len(cases) == 84
    assert all(0 < case.probability <= 1 for case in cases)
    assert {case.emotion for case in cases} >= {case.predicted for case in cases}


def test_read_of_another_model_says_what_is_missing(world):
    with pytest.raises(MissingData, match="resnet18"):
        read(world.folder / "predictions.parquet", "resnet18", "drawn")
