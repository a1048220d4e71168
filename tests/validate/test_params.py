"""Severities and bounds."""

from typing import get_args

import pytest

from fer_pipeline.errors import BadParams
from fer_pipeline.params import check
from fer_pipeline.validate.params import ALWAYS_HARD, SEVERITIES, Name, ValidateParams


def test_severity_of_default_override_and_policy() -> None:
    plain = ValidateParams()
    assert plain.severity("ids_unique") == "hard"
    assert plain.severity("pictures_in_one_split") == "soft"
    changed = ValidateParams(severities={"ids_unique": "soft", "faces_found": "hard"})
    assert changed.severity("ids_unique") == "soft"
    assert changed.severity("faces_found") == "hard"
    strict = ValidateParams(leaks="fail")
    for name in ("pictures_in_one_split", "near_repeats_across", "pictures_of_one_subject"):
        assert strict.severity(name) == "hard"  # type: ignore[arg-type]
    assert strict.severity("pictures_not_repeated") == "soft"


def test_defaults_name_expectations_that_exist() -> None:
    assert set(SEVERITIES) <= set(get_args(Name))
    assert set(ALWAYS_HARD) <= set(SEVERITIES)


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"severities": {"ids_uniqe": "hard"}}, "ids_unique"),
        ({"severities": {"ids_unique": "mild"}}, "hard"),
        ({"severities": {"schema": "soft"}}, "schema"),
        ({"near_distance": 65}, "quarter"),
        ({"hash_side": 8, "near_distance": 17}, "quarter"),
        ({"leaks": "ignore"}, "drop_from_train"),
        ({"min_detection_rat": 0.5}, "min_detection_rate"),
        ({"min_detection_rate": 1.5}, "min_detection_rate"),
    ],
)
def test_bad_values_are_refused_by_name(values: dict[str, object], part: str) -> None:
    with pytest.raises(BadParams, match=part):
        check(ValidateParams, values, "params.yaml: validate")
