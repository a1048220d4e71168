import pytest

from fer_pipeline.report.verdicts import (
    BETTER,
    EVEN,
    HINT,
    WORSE,
    outcome,
    over_blocks,
    sentences,
)


def entry(difference, low, high, **test):
    names = {"a": "small", "b": "large", "source": "mmi", "target": "mmi"}
    return {"difference": difference, "low": low, "high": high, "mcnemar": [test]} | names


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (entry(0.05, 0.01, 0.09, p_holm=0.01), BETTER),
        (entry(-0.05, -0.09, -0.01, p_holm=0.01), WORSE),
        (entry(0.05, 0.01, 0.09, p_holm=0.2), HINT),
        (entry(0.05, -0.01, 0.09, p_holm=0.01), HINT),
        (entry(0.05, -0.01, 0.09, p_holm=0.2), EVEN),
        (entry(0.0, 0.0, 0.0, why="not possible"), EVEN),
    ],
)
def test_outcome_needs_both_test_and_interval(given, expected):
    assert outcome(given, alpha=0.05) == expected


def test_a_real_difference_names_the_better_model_and_how_much():
    text = sentences("mmi", [entry(-0.052, -0.09, -0.012, p_holm=0.0004)], 0.05, 0.8)
    assert text == (
        "mmi: large is better than small by 5.2 points (interval 1.2 to 9.0; McNemar p < 0.001 "
        "after Holm)."
    )


def test_no_difference_comes_with_what_would_have_been_found():
    pairs = [entry(0.01, -0.02, 0.04, p_holm=0.4, detectable=0.061)]
    text = sentences("mmi", pairs, 0.05, 0.8)
    assert "no difference is shown between small and large" in text
    assert "6.1 points would have been found with 80 % probability" in text


def test_identical_answers_are_called_so():
    text = sentences("mmi", [entry(0.0, 0.0, 0.0, why="not possible")], 0.05, 0.8)
    assert "they are right on the same items" in text


def test_many_models_over_blocks():
    given = {
        "models": ["a", "b", "c"],
        "means": {"a": 0.4, "b": 0.7, "c": 0.5},
        "blocks": 12,
        "friedman": {"p": 0.003},
    }
    assert over_blocks(given, 0.05) == (
        "Mean accuracy over 12 pairs of source and target: b 70.0, c 50.0, a 40.0. "
        "The models differ (Friedman p = 0.003)."
    )
