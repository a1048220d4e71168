"""Suites as Great Expectations runs them: what counts against one, and no side effects."""

import subprocess
import sys

import pandas as pd
import pytest
from great_expectations import expectations as gxe

from fer_pipeline.validate.expectations import (
    ExpectGroupsToHaveOneValue,
    ExpectOfficialCounts,
    ExpectSplitsToHaveShares,
)
from fer_pipeline.validate.running import NAMED, context, named, outcomes, run


def ask(frame: pd.DataFrame, kind, name: str = "schema", severity: str = "warning", **settings):
    expectation = kind(
        severity=severity, description="A sentence.", meta={"name": name}, **settings
    )
    result = run(context(), "suite", frame, [expectation])
    (found,) = outcomes(result)
    return found, result


def test_groups_with_several_values() -> None:
    frame = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d", "e", "f"],
            "picture": ["p", "p", "q", "q", None, None],
            "split": ["train", "test", "train", "train", "train", "test"],
        }
    )
    found, _ = ask(frame, ExpectGroupsToHaveOneValue, group="picture", attribute="split")
    assert (found.passed, found.unexpected, found.observed) == (False, 1, "1 of 2")
    assert found.rows == ("a", "b")
    found, _ = ask(frame[2:], ExpectGroupsToHaveOneValue, group="picture", attribute="split")
    assert (found.passed, found.unexpected, found.observed) == (True, 0, "0 of 1")


SPLITS = pd.DataFrame(
    {
        "id": [str(number) for number in range(20)],
        "split": ["train"] * 15 + ["val"] * 4 + ["test"],
        "usable": [True] * 13 + [False] * 2 + [True] * 5,
    }
)


@pytest.mark.parametrize(
    ("share", "small"), [(0.05, ()), (0.06, ("test",)), (0.3, ("val", "test"))]
)
def test_split_shares(share: float, small: tuple[str, ...]) -> None:
    found, _ = ask(
        SPLITS, ExpectSplitsToHaveShares, splits=["train", "val", "test"], min_share=share
    )
    assert found.rows == small
    assert found.passed == (not small)
    assert found.observed == "has train 15, val 4, test 1"


@pytest.mark.parametrize(
    ("counts", "tolerance", "wrong"),
    [
        ({"train": 15, "val": 4, "test": 1}, 0.0, ()),
        ({"train": 13, "val": 4, "test": 1}, 0.0, ()),  # the usable rows
        ({"train": 16, "val": 4, "test": 1}, 0.0, ("train",)),
        ({"train": 16, "val": 4, "test": 1}, 0.1, ()),
        ({"train": 16, "val": 5, "test": 1}, 0.0, ("train", "val")),
        ({"train": 150, "val": 40, "test": 10}, 0.0, ()),  # a tenth of the set is not the set
    ],
)
def test_official_counts(counts: dict[str, int], tolerance: float, wrong: tuple[str, ...]) -> None:
    given = {"counts": counts, "others": [], "tolerance": tolerance, "complete_from": 0.9}
    found, _ = ask(SPLITS, ExpectOfficialCounts, **given)
    assert found.rows == wrong
    assert found.passed == (not wrong)


@pytest.mark.parametrize(
    ("others", "wrong"),
    [
        ([{"train": 15, "val": 4, "test": 1}], ()),
        ([{"train": 15, "val": 4, "test": 2}], ("test",)),
        ([{"train": 20}], ("test", "train")),  # a set with other splits is not that layout's
        ([{"train": 99}, {"train": 15, "val": 4, "test": 1}], ()),
    ],
)
def test_official_counts_of_another_layout_do(
    others: list[dict[str, int]], wrong: tuple[str, ...]
) -> None:
    counts = {"train": 16, "val": 4, "test": 2}
    given = {"counts": counts, "others": others, "tolerance": 0.0, "complete_from": 0.9}
    found, _ = ask(SPLITS, ExpectOfficialCounts, **given)
    assert found.rows == wrong


def test_rows_are_named_and_counted() -> None:
    frame = pd.DataFrame({"id": [f"x/{n}" for n in range(100)], "side": [10] * 60 + [50] * 40})
    asked = gxe.ExpectColumnValuesToBeBetween
    found, result = ask(frame, asked, column="side", min_value=20)
    assert found.observed == "60 of 100 rows"
    assert found.rows == tuple(f"x/{number}" for number in range(NAMED))
    assert named(found, 2) == "x/0, x/1, ..."
    assert named(found, 1000).endswith(", ...")
    assert found.severity == "soft"
    assert str(result.get_max_severity_failure()).endswith("WARNING")
    hard, result = ask(frame, asked, severity="critical", column="side", min_value=20)
    assert hard.severity == "hard"
    assert str(result.get_max_severity_failure()).endswith("CRITICAL")
    allowed, result = ask(frame, asked, column="side", min_value=20, mostly=0.4)
    assert (allowed.passed, allowed.unexpected) == (True, 60)
    assert result.get_max_severity_failure() is None


def test_missing_classes_are_named() -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "emotion": ["fear", "anger"]})
    found, _ = ask(
        frame,
        gxe.ExpectColumnDistinctValuesToContainSet,
        column="emotion",
        value_set=["sadness", "anger", "disgust"],
    )
    assert found.rows == ("disgust", "sadness")
    assert found.observed == "2 of 3 missing"


def test_an_expectation_that_cannot_be_evaluated_is_a_bug() -> None:
    frame = pd.DataFrame({"id": ["a"]})
    with pytest.raises(RuntimeError, match="absent"):
        ask(frame, gxe.ExpectColumnValuesToBeUnique, column="absent")


def test_results_come_in_the_order_of_their_names() -> None:
    frame = pd.DataFrame({"id": ["a"], "split": ["train"]})
    unique = gxe.ExpectColumnValuesToBeUnique(column="id", meta={"name": "ids_unique"})
    known = gxe.ExpectColumnValuesToBeInSet(
        column="split", value_set=["train"], meta={"name": "splits_known"}
    )
    found = outcomes(run(context(), "suite", frame, [known, unique]))
    assert [one.name for one in found] == ["ids_unique", "splits_known"]


OFFLINE = """
import socket, sys
def refuse(*_, **__):
    raise AssertionError("a connection was tried")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import pandas as pd
from fer_pipeline.validate.running import context, run
assert "great_expectations" not in sys.modules
made = context()
assert made.config.analytics_enabled is False
from great_expectations import expectations as gxe
asked = gxe.ExpectColumnValuesToBeUnique(column="id", meta={"name": "ids_unique"})
result = run(made, "suite", pd.DataFrame({"id": ["a", "b"]}), [asked])
assert result.success
assert not [name for name in sys.modules if "posthog" in name]
"""


def test_nothing_is_sent_or_left_behind(tmp_path, root) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        cwd=home,
        env={
            "HOME": str(home),
            "TMPDIR": str(home),
            "PYTHONPATH": str(root),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert list(home.rglob("*")) == []
