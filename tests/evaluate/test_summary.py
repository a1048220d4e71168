"""Scores, intervals and their means over repeats, on rows made by hand."""

import numpy as np
import pyarrow as pa
import pytest

from fer_pipeline import intervals
from fer_pipeline.emotions import CIRCUMPLEX, COMMON7
from fer_pipeline.evaluate.scores import Settings
from fer_pipeline.evaluate.summary import summarise
from fer_pipeline.predictions import PREDICTIONS

CLASSES = ("anger", "happiness", "neutral")
SETTINGS = Settings(confidence=0.95, resamples=4000, seed=0)


def rows(shares: np.ndarray, truth: list[int], repeat: int = 0, **given) -> list[dict]:
    """Rows of PREDICTIONS over CLASSES; `given` are columns by name."""
    found = []
    for i, (share, actual) in enumerate(zip(shares, truth, strict=True)):
        row = dict.fromkeys(PREDICTIONS.names)
        row |= {"model": "m", "source": "s", "repeat": repeat, "target": "t", "id": f"t/{i}"}
        row |= {"emotion": CLASSES[actual], "predicted": CLASSES[int(np.argmax(share))]}
        row |= {f"p_{name}": float(p) for name, p in zip(CLASSES, share, strict=True)}
        row |= {"repeated": False} | {name: values[i] for name, values in given.items()}
        found.append(row)
    return found


def table(found: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(found, schema=PREDICTIONS)


def random(n: int, seed: int) -> tuple[np.ndarray, list[int]]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    logits = rng.normal(size=(n, 3))
    logits[np.arange(n), truth] += 1
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True), truth.tolist()


def test_maes_by_hand():
    shares = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    votes = [[2.0, 0, 0, 2, 0, 0, 0, 6], [0.0] * 8]
    told = rows(shares, [0, 1], valence=[-0.5, None], arousal=[0.5, None], votes=votes)
    found = summarise(table(told), CLASSES, SETTINGS)["scores"]
    value = {name: entry["value"] for name, entry in found.items()}
    assert value["mae_probability"] == pytest.approx((1.0 + 1.8) / 3 / 2)
    expected = 0.5 * CIRCUMPLEX["anger"][0] + 0.3 * CIRCUMPLEX["happiness"][0]
    assert value["mae_valence"] == pytest.approx(abs(expected + 0.5), abs=1e-6)
    other = 0.1 * CIRCUMPLEX["anger"][0] + 0.1 * CIRCUMPLEX["happiness"][0]
    of_label = abs(expected - CIRCUMPLEX["anger"][0]) + abs(other - CIRCUMPLEX["happiness"][0])
    assert value["mae_valence_of_label"] == pytest.approx(of_label / 2, abs=1e-6)
    assert value["mae_polarity"] == pytest.approx((0 + 1) / 2)
    # Contempt's votes are put aside: half anger, half happiness are left.
    assert value["votes_mae"] == pytest.approx((0 + 0.2 + 0.2) / 3, abs=1e-6)
    assert value["votes_brier"] == pytest.approx(0.04 + 0.04, abs=1e-6)
    assert value["votes_kl"] == pytest.approx(0.5 * np.log(1) + 0.5 * np.log(0.5 / 0.3), abs=1e-6)


def test_accuracy_has_wilsons_interval_over_distinct_items():
    shares, truth = random(90, 0)
    again, _ = random(90, 1)
    told = table([*rows(shares, truth), *rows(again, truth, repeat=1)])
    found = summarise(told, CLASSES, SETTINGS)
    accuracy = found["scores"]["accuracy"]
    each = [np.mean(s.argmax(axis=1) == truth) for s in (shares, again)]
    assert found["rows"] == 90
    assert accuracy["value"] == pytest.approx(np.mean(each), abs=1e-6)
    assert accuracy["sd"] == pytest.approx(np.std(each, ddof=1), abs=1e-6)
    low, high = intervals.wilson(float(np.mean(each)), 90)
    assert (accuracy["low"], accuracy["high"]) == pytest.approx((low, high), abs=1e-6)


def test_the_bootstrap_has_the_width_of_theory():
    shares, truth = random(600, 2)
    found = summarise(table(rows(shares, truth)), CLASSES, SETTINGS)["scores"]
    right = shares.argmax(axis=1) == truth
    counts = np.bincount(truth)
    recall = np.array([right[np.array(truth) == c].mean() for c in range(3)])
    error = np.sqrt((recall * (1 - recall) / counts).sum()) / 3
    entry = found["mean_class_accuracy"]
    assert (entry["high"] - entry["low"]) / 2 == pytest.approx(1.96 * error, rel=0.05)
    truth_row = np.array(truth)
    one_hot = np.abs(shares - np.eye(3)[truth]).mean(axis=1)
    variance = sum(one_hot[truth_row == c].var() * (truth_row == c).sum() for c in range(3)) / len(
        truth
    )
    reach = 1.96 * (variance / len(truth)) ** 0.5
    entry = found["mae_probability"]
    assert (entry["high"] - entry["low"]) / 2 == pytest.approx(reach, rel=0.05)


def test_the_interval_of_auc_is_delongs():
    # DeLong et al. 1988: the variance from how often each score beats those of the other side.
    shares, truth = random(600, 3)
    found = summarise(table(rows(shares, truth)), CLASSES, SETTINGS)["per_class"]["anger"]
    positive = shares[np.array(truth) == 0, 0]
    negative = shares[np.array(truth) != 0, 0]
    above = positive[:, None] > negative[None, :]
    area, m, n = above.mean(), len(positive), len(negative)
    variance = (above.mean(1).var() / m) + (above.mean(0).var() / n)
    assert found["roc_auc"]["value"] == pytest.approx(area, abs=1e-6)
    width = (found["roc_auc"]["high"] - found["roc_auc"]["low"]) / 2
    assert width == pytest.approx(1.96 * variance**0.5, rel=0.06)


def test_repeats_on_the_same_items_do_not_narrow_the_interval():
    shares, truth = random(200, 4)
    once = summarise(table(rows(shares, truth)), CLASSES, SETTINGS)
    told = [row for repeat in range(3) for row in rows(shares, truth, repeat)]
    thrice = summarise(table(told), CLASSES, SETTINGS)
    for name in ("accuracy", "macro_f1", "roc_auc", "mae_probability"):
        first, again = once["scores"][name], thrice["scores"][name]
        assert (first["low"], first["high"]) == (again["low"], again["high"])
        assert (first["sd"], again["sd"]) == (None, 0)


def test_accuracies_without_repeated_and_leaked_items():
    shares = np.eye(3)[[0, 0, 1, 2]]
    told = rows(
        shares,
        [0, 1, 1, 1],
        repeated=[False, True, False, False],
        leak=[None, None, "exact", "near"],
    )
    found = summarise(table(told), CLASSES, SETTINGS)["accuracies"]
    assert [(e["rows"], e["accuracy"]) for e in found.values()] == [
        (4, 0.5),
        (3, pytest.approx(2 / 3, abs=1e-6)),
        (2, 0.5),
    ]
    assert list(found) == ["raw", "deduplicated", "leak_free"]


def test_all_leaked_leaves_no_accuracy():
    told = rows(np.eye(3), [0, 1, 2], leak=["exact"] * 3)
    found = summarise(table(told), CLASSES, SETTINGS)["accuracies"]["leak_free"]
    assert found == {"rows": 0, "accuracy": None, "low": None, "high": None}


def test_a_class_that_never_occurs_has_no_score():
    told = rows(np.eye(3)[[0, 1, 0]], [0, 1, 1])
    found = summarise(table(told), CLASSES, SETTINGS)
    assert found["truth"] == {"anger": 1, "happiness": 2, "neutral": 0}
    assert found["per_class"]["neutral"]["recall"]["value"] is None
    assert found["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]


def test_nothing_tested_is_zero_rows():
    found = summarise(PREDICTIONS.empty_table(), COMMON7, SETTINGS)
    assert found["rows"] == 0
    assert found["scores"] == {}
