"""Differences by hand and against scipy."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from fer_pipeline.ablate import differences, report
from fer_pipeline.ablate.params import AblateParams
from fer_pipeline.ablate.study import Answers
from fer_pipeline.ablate.variants import Variant
from fer_pipeline.train.params import TrainParams

ROWS, TRAIN = 400, 2000
FOUND = [
    Variant("base", TrainParams()),
    Variant("no_norm", TrainParams()),
    Variant("no_dropout", TrainParams()),
    Variant("no_temporal", None, "has none"),
]


def answers(share, seed, persons=None):
    right = np.random.default_rng(seed).random(ROWS) < share
    ids = tuple(f"i{n}" for n in range(ROWS))
    return Answers(ids, persons or tuple(f"item {name}" for name in ids), right, TRAIN)


def compared(repeats=3, **changes):
    given = {
        "base": [answers(0.7, seed) for seed in range(repeats)],
        "no_norm": [answers(0.5, 10 + seed) for seed in range(repeats)],
        "no_dropout": [answers(0.7, 20 + seed) for seed in range(repeats)],
    } | changes
    return differences.compare(FOUND, given, AblateParams()), given


def test_means_and_differences():
    found, given = compared()
    shares = [part.right.mean() for part in given["base"]]
    assert found["base"]["accuracy"] == pytest.approx(np.mean(shares), abs=1e-6)
    assert found["base"]["sd"] == pytest.approx(np.std(shares, ddof=1), abs=1e-6)
    entry = found["variants"]["no_norm"]
    gains = [
        other.right.mean() - base.right.mean()
        for base, other in zip(given["base"], given["no_norm"], strict=True)
    ]
    assert entry["repeats"] == pytest.approx(gains, abs=1e-6)
    assert entry["difference"] == pytest.approx(np.mean(gains), abs=1e-6)
    assert entry["low"] < entry["difference"] < entry["high"] < 0
    assert found["variants"]["no_temporal"] == {"why": "has none"}


def test_the_corrected_t_test_by_hand():
    found, _ = compared()
    entry = found["variants"]["no_norm"]
    d = np.array(entry["repeats"])
    t = d.mean() / np.sqrt((1 / 3 + ROWS / TRAIN) * d.var(ddof=1))
    assert entry["p"] == pytest.approx(2 * stats.t.sf(abs(t), 2), abs=1e-5)
    plain = stats.ttest_1samp(d, 0).pvalue
    assert entry["p"] > plain, "the plain test is too sure of itself"
    p = [found["variants"][name]["p"] for name in ("no_norm", "no_dropout")]
    holm = multipletests(p, method="holm")[1]
    told = [found["variants"][name]["p_holm"] for name in ("no_norm", "no_dropout")]
    assert told == pytest.approx(holm, abs=1e-5)


def test_one_repeat_is_mcnemars():
    found, given = compared(repeats=1)
    base, other = given["base"][0].right, given["no_norm"][0].right
    table = [[(base & other).sum(), (base & ~other).sum()],
             [(~base & other).sum(), (~base & ~other).sum()]]  # fmt: skip
    entry = found["variants"]["no_norm"]
    assert entry["test"] == "McNemar, exact"
    assert entry["p"] == pytest.approx(mcnemar(table, exact=True).pvalue, abs=1e-6)
    assert found["base"]["sd"] is None


def test_an_equal_variant_shows_no_difference():
    same = [answers(0.7, seed) for seed in range(3)]
    found, _ = compared(no_norm=same)
    entry = found["variants"]["no_norm"]
    assert (entry["difference"], entry["low"], entry["high"], entry["p"]) == (0, 0, 0, 1)


def test_the_same_gain_in_every_repeat_proves_nothing(tmp_path):
    base = answers(0.7, 0)
    better = base.right.copy()
    better[np.flatnonzero(~better)[:2]] = True
    gained = Answers(base.ids, base.persons, better, TRAIN)
    found, _ = compared(base=[base] * 3, no_norm=[gained] * 3, no_dropout=[base] * 3)
    entry, other = (found["variants"][name] for name in ("no_norm", "no_dropout"))
    assert (entry["difference"], entry["p"], entry["p_holm"]) == (0.005, None, None)
    assert entry["why_no_p"] == differences.SAME
    assert (other["p"], other["p_holm"]) == (1, 1)
    assert "no_norm: p not possible" in report.table("it", "there", found)
    told = report.metrics(found)
    assert told["no_norm"] == {"difference": 0.005, "why_no_p": differences.SAME}
    report.write(tmp_path, found, "it on there")
    shown = (tmp_path / "differences.csv").read_text().splitlines()
    assert shown[1].startswith("no_norm,0.5,")
    assert shown[1].endswith(",")


def test_persons_are_drawn_together():
    """Ten persons whose rows all gain or all lose tell less than 400 rows would."""
    persons = tuple(f"subject {n // 40}" for n in range(ROWS))
    base = Answers(tuple(map(str, range(ROWS))), persons, np.zeros(ROWS, bool), TRAIN)
    gains = np.array([n // 40 < 5 for n in range(ROWS)])
    other = Answers(base.ids, persons, gains, TRAIN)
    single = tuple(f"item {n}" for n in range(ROWS))
    wide, _ = compared(repeats=1, base=[base], no_norm=[other], no_dropout=[other])
    alone = Answers(base.ids, single, base.right, TRAIN)
    gained = [Answers(base.ids, single, gains, TRAIN)]
    narrow, _ = compared(repeats=1, base=[alone], no_norm=gained, no_dropout=gained)
    width = [
        found["variants"]["no_norm"]["high"] - found["variants"]["no_norm"]["low"]
        for found in (wide, narrow)
    ]
    assert width[0] > 4 * width[1]


def test_rows_that_one_side_lacks_are_left_out():
    base, other = answers(0.7, 0), answers(0.7, 0)
    fewer = Answers(other.ids[100:], other.persons[100:], ~other.right[100:], TRAIN)
    found, _ = compared(repeats=1, base=[base], no_norm=[fewer])
    expected = (~base.right[100:]).mean() - base.right[100:].mean()
    assert found["variants"]["no_norm"]["difference"] == pytest.approx(expected, abs=1e-6)
