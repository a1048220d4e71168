"""Ranges that make sense, and those that do not."""

import pytest
from pydantic import ValidationError

from fer_pipeline.tune.params import Range, TuneParams


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "name choices, or low and a higher high"),
        ({"low": 2, "high": 1}, "a higher high"),
        ({"low": 0, "high": 1, "log": True}, "log needs low above 0"),
        ({"low": 1, "high": 9, "log": True, "step": 2}, "and no step"),
        ({"low": 1, "high": 9, "step": 0.5}, r"must be whole; write 1\.0"),
        ({"low": 1, "high": 9, "step": 2.5}, "must be whole"),
        ({"low": 0.0, "high": 0.5, "step": 0.6}, "is more than from low to high"),
        ({"choices": []}, "choices must hold a value"),
        ({"choices": [1], "low": 1}, "leave out low and high"),
    ],
)
def test_ranges_that_say_nothing_are_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        Range(**given)


def test_whole_ends_stay_whole():
    found = Range(low=1, high=9)
    assert isinstance(found.ends[0], int)
    assert isinstance(Range(low=1.0, high=9).ends[0], float)


def test_the_usual_space_names_what_people_tune():
    assert set(TuneParams().space) == {
        *("lr", "batch", "optimiser", "weight_decay", "loss"),
        *("options.dropout", "augment.strength"),
    }
