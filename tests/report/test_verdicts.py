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
    won = {"only_a": 20, "only_b": 10} if difference > 0 else {"only_a": 10, "only_b": 20}
    test = {"on": "repeat 0", **won, **test}
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
        (entry(0.0, None, None, why="not possible"), EVEN),
        (entry(0.05, None, None, p_holm=0.01), HINT),
        (entry(0.05, 0.01, 0.09, p_holm=0.01, only_a=10, only_b=20), HINT),
        (entry(-0.05, -0.09, -0.01, p_holm=0.01, only_a=20, only_b=10), HINT),
    ],
)
def test_outcome_needs_both_test_and_interval(given, expected):
    assert outcome(given, alpha=0.05) == expected


def test_a_real_difference_names_the_better_model_and_how_much():
    text = sentences("mmi", [entry(-0.052, -0.09, -0.012, p_holm=0.0004)], 0.05, 0.8)
    assert text == (
        "mmi: large is better than small by 5.2 points (interval 1.2 to 9.0; McNemar on repeat 0, "
        "p < 0.001 after Holm)."
    )


def test_no_difference_comes_with_what_would_have_been_found():
    pairs = [entry(0.01, -0.02, 0.04, p=0.4, p_holm=0.4, detectable=0.061)]
    text = sentences("mmi", pairs, 0.05, 0.8)
    assert "no difference is shown between small and large" in text
    assert "6.1 points would have been found with 80 % probability" in text


def test_identical_answers_are_called_so():
    text = sentences("mmi", [entry(0.0, 0.0, 0.0, why="not possible")], 0.05, 0.8)
    assert "they are right on the same items" in text
    few = [entry(0.1, -0.1, 0.2, p=0.06, p_holm=0.06, why_none="no split of 5 ...")]
    text = sentences("mmi", few, 0.05, 0.8)
    assert "no difference is shown between small and large (nor could any be on so few)" in text


@pytest.fixture
def blocks():
    return {
        "models": ["a", "b", "c"],
        "means": {"a": 0.4, "b": 0.7, "c": 0.5},
        "names": ["fer2013", "ferplus", "rafdb", "ckplus", "jaffe", "mmi"],
        "blocks": 6,
        "enough": True,
        "friedman": {"p": 0.003},
    }


def test_many_models_over_blocks(blocks):
    assert over_blocks(blocks, 0.05) == (
        "Mean accuracy over 6 own test sets: b 70.0, c 50.0, a 40.0. "
        "The models differ (Friedman p = 0.003)."
    )


def test_too_few_blocks_or_the_same_pictures_twice_give_no_verdict(blocks):
    told = over_blocks(blocks, 0.05, [("fer2013", "ferplus")])
    assert "No verdict: fer2013 and ferplus hold the same pictures" in told
    assert "differ (" not in told
    assert "differ (" in over_blocks(blocks, 0.05, [("fer2013", "affectnet")])
    told = over_blocks(blocks | {"blocks": 2, "enough": False}, 0.05)
    assert "allow no verdict" in told
    assert "differ (" not in told
