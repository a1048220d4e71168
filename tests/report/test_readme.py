"""The README's tables are the record of the real runs, to the digit."""

import json

import pytest

from benchmarks import fer2013


@pytest.fixture(scope="module")
def record(root):
    return json.loads((root / "metrics/fer2013.json").read_text(encoding="utf-8"))


def test_the_tables_are_the_record(root, record):
    readme = (root / "README.md").read_text(encoding="utf-8")
    starts = tuple(f"| `{model}` |" for model in record)
    rows = [line for line in readme.splitlines() if line.startswith(starts)]
    results = [fer2013.result(model, found) for model, found in record.items()]
    costs = [fer2013.cost(model, found) for model, found in record.items()]
    assert rows == results + costs


def test_the_record_is_of_whole_test_sets(record):
    for found in record.values():
        assert found["fer2013"]["rows"] == 3_589
        assert found["ferplus"]["rows"] == record["simple_cnn"]["ferplus"]["rows"]


def test_each_test_set_was_used_once_by_each_model(record):
    for model, found in record.items():
        uses = [(use["target"], use["model"]) for use in found["test_uses"]]
        assert sorted(uses) == [("fer2013", model), ("ferplus", model)]
