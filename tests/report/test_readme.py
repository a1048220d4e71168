"""The README's tables are the records of the real runs, to the digit."""

import json

import pytest

from benchmarks import fer2013, fer2013_search

TARGETS = {"fer2013": {"fer2013": 3_589, "ferplus": 3_137}, "fer2013_official": {"fer2013": 3_589}}
"""Profile -> rows of each test set that its models answer."""


def of(profile):
    return json.loads((fer2013.RECORDS / f"{profile}.json").read_text(encoding="utf-8"))


def test_the_tables_are_the_records(root):
    readme = (root / "README.md").read_text(encoding="utf-8").splitlines()
    starts = tuple(f"| `{model}` |" for profile in TARGETS for model in of(profile))
    rows = [line for line in readme if line.startswith(starts)]
    tables = [lines for profile in TARGETS for lines in fer2013.tables(profile, of(profile))]
    assert rows == [row for table in tables for row in table]


def test_every_profile_with_tables_is_looked_at():
    assert TARGETS.keys() == fer2013.TABLES.keys()


@pytest.mark.parametrize("profile", TARGETS)
def test_the_record_is_of_whole_test_sets(profile):
    for found in of(profile).values():
        assert {target: found[target]["rows"] for target in TARGETS[profile]} == TARGETS[profile]


@pytest.mark.parametrize("profile", TARGETS)
def test_each_test_set_was_used_once_by_each_model(profile):
    for model, found in of(profile).items():
        uses = [(use["target"], use["model"]) for use in found["test_uses"]]
        assert sorted(uses) == [(target, model) for target in TARGETS[profile]]


@pytest.mark.parametrize("name", ["ablate", "tune"])
def test_the_tables_of_study_and_ablation_are_their_records(root, name):
    rows = "\n".join(fer2013_search.table(name))
    assert f"|\n{rows}\n\n" in (root / "README.md").read_text(encoding="utf-8")
