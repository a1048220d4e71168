"""The README's tables are the records of the real runs, to the digit."""

import json

import pytest

from benchmarks import fer2013

RECORDED = [name for name in fer2013.TABLES if (fer2013.RECORDS / f"{name}.json").is_file()]


def of(profile):
    return json.loads((fer2013.RECORDS / f"{profile}.json").read_text(encoding="utf-8"))


@pytest.fixture(params=RECORDED)
def record(request):
    return of(request.param)


def test_the_tables_are_the_records(root):
    readme = (root / "README.md").read_text(encoding="utf-8").splitlines()
    starts = tuple(f"| `{model}` |" for profile in RECORDED for model in of(profile))
    rows = [line for line in readme if line.startswith(starts)]
    tables = [lines for profile in RECORDED for lines in fer2013.tables(profile, of(profile))]
    assert rows == [row for table in tables for row in table]


def test_the_record_is_of_whole_test_sets(record):
    for found in record.values():
        assert found["fer2013"]["rows"] == 3_589
        assert found.get("ferplus", {"rows": 3_137})["rows"] == 3_137


def test_each_test_set_was_used_once_by_each_model(record):
    for model, found in record.items():
        targets = sorted({"fer2013", "ferplus"} & found.keys())
        uses = [(use["target"], use["model"]) for use in found["test_uses"]]
        assert sorted(uses) == [(target, model) for target in targets]
