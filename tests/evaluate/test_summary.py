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


def test_agreement_of_ratings_is_scored_where_rows_are_rated():
    shares, truth = random(60, 5)
    rng = np.random.default_rng(6)
    own = rng.uniform(-1, 1, 60)
    valence = [None if i < 10 else float(v) for i, v in enumerate(own)]
    told = rows(shares, truth, valence=valence)
    found = summarise(table(told), CLASSES, SETTINGS)["scores"]
    expected = shares[10:] @ np.array([CIRCUMPLEX[name][0] for name in CLASSES])
    rated = own[10:]
    assert found["rmse_valence"]["value"] == pytest.approx(
        np.sqrt(np.mean((expected - rated) ** 2)), abs=1e-5
    )
    assert found["pcc_valence"]["value"] == pytest.approx(
        np.corrcoef(expected, rated)[0, 1], abs=1e-5
    )
    covariance = np.cov(expected, rated, bias=True)
    spread = covariance.trace() + (expected.mean() - rated.mean()) ** 2
    assert found["ccc_valence"]["value"] == pytest.approx(2 * covariance[0, 1] / spread, abs=1e-5)
    assert found["sagr_valence"]["value"] == pytest.approx(
        np.mean(np.sign(expected) == np.sign(rated)), abs=1e-5
    )
    assert (
        found["ccc_valence"]["low"] < found["ccc_valence"]["value"] < found["ccc_valence"]["high"]
    )
    assert "rmse_arousal" not in found


def test_a_models_own_answers_go_before_what_its_probabilities_expect():
    shares, truth = random(40, 5)
    rng = np.random.default_rng(6)
    own, told, strong = rng.uniform(-1, 1, 40), rng.uniform(-1, 1, 40), rng.uniform(0, 1, 40)
    given = {"valence": own.tolist(), "predicted_valence": told.tolist()}
    given |= {"intensity": strong.tolist(), "predicted_intensity": strong[::-1].tolist()}
    found = summarise(table(rows(shares, truth, **given)), CLASSES, SETTINGS)["scores"]
    assert found["rmse_valence"]["value"] == pytest.approx(
        np.sqrt(np.mean((told - own) ** 2)), abs=1e-5
    )
    assert found["mae_intensity"]["value"] == pytest.approx(
        np.mean(np.abs(strong - strong[::-1])), abs=1e-5
    )
    assert "ccc_intensity" in found
    assert "sagr_intensity" not in found
    del given["predicted_intensity"]
    found = summarise(table(rows(shares, truth, **given)), CLASSES, SETTINGS)["scores"]
    assert "rmse_intensity" not in found


def test_recall_and_precision_have_wilsons_intervals():
    shares = np.eye(3)[[0] * 8 + [1] * 2 + [1] * 5 + [2] * 5]
    truth = [0] * 10 + [1] * 5 + [2] * 5
    found = summarise(table(rows(shares, truth)), CLASSES, SETTINGS)["per_class"]
    for emotion, score, share, n in (
        ("anger", "recall", 0.8, 10),
        ("anger", "precision", 1.0, 8),
        ("happiness", "precision", 5 / 7, 7),
        ("neutral", "recall", 1.0, 5),
    ):
        entry = found[emotion][score]
        low, high = intervals.wilson(share, n)
        assert entry["value"] == pytest.approx(share, abs=1e-6)
        assert (entry["low"], entry["high"]) == pytest.approx((low, high), abs=1e-6)


def test_recall_over_repeats_counts_distinct_items():
    shares, truth = random(90, 0)
    told = [row for repeat in range(3) for row in rows(shares, truth, repeat)]
    once = summarise(table(rows(shares, truth)), CLASSES, SETTINGS)["per_class"]
    thrice = summarise(table(told), CLASSES, SETTINGS)["per_class"]
    for emotion in CLASSES:
        for score in ("recall", "precision"):
            for end in ("low", "high"):
                assert thrice[emotion][score][end] == once[emotion][score][end]


def test_a_score_that_no_resample_changes_has_no_interval():
    found = summarise(table(rows(np.eye(3)[[0, 1, 2] * 4], [0, 1, 2] * 4)), CLASSES, SETTINGS)
    for entry in (
        found["scores"]["macro_f1"],
        found["scores"]["roc_auc"],
        found["scores"]["mean_class_accuracy"],
        found["per_class"]["anger"]["f1"],
    ):
        assert (entry["value"], entry["low"], entry["high"]) == (1, None, None)  # fmt: skip
    accuracy = found["scores"]["accuracy"]
    assert accuracy["low"] == pytest.approx(intervals.wilson(1, 12)[0], abs=1e-6)
    everything = [*found["scores"].values(), *(e for c in found["per_class"].values()
                                               for e in c.values())]  # fmt: skip
    assert all(entry["low"] is None or entry["low"] < entry["high"] for entry in everything)


def alike(persons: int, frames: int, seed: int) -> tuple[np.ndarray, list[int], list[str]]:
    """Shares, truth and subjects where all frames of a person are the same."""
    shares, truth = random(persons, seed)
    subjects = [f"S{n // frames}" for n in range(persons * frames)]
    return shares.repeat(frames, axis=0), np.repeat(truth, frames).tolist(), subjects


def test_frames_of_one_person_are_worth_one():
    shares, truth, subjects = alike(60, 10, 7)
    told = summarise(table(rows(shares, truth, subject=subjects)), CLASSES, SETTINGS)
    apart = summarise(table(rows(shares, truth)), CLASSES, SETTINGS)
    once = summarise(table(rows(shares[::10], truth[::10])), CLASSES, SETTINGS)
    assert (told["rows"], told["persons"], apart["persons"]) == (600, 60, None)
    for name in ("accuracy", "macro_f1", "mean_class_accuracy", "roc_auc"):
        wide, narrow, fair = (each["scores"][name] for each in (told, apart, once))
        assert wide["value"] == pytest.approx(fair["value"], abs=1e-6)
        width = wide["high"] - wide["low"]
        assert width > 2.5 * (narrow["high"] - narrow["low"])
        assert width == pytest.approx(fair["high"] - fair["low"], rel=0.15)


def test_persons_are_drawn_within_their_fold():
    # Two folds whose accuracies are 1 and 0 whoever is drawn: their mean never varies.
    told = [
        row
        for fold in range(2)
        for row in rows(
            np.eye(3)[[fold] * 6], [0] * 6, fold, subject=["abc"[n // 2] for n in range(6)]
        )
    ]
    for row in told:
        row["id"], row["subject"] = (
            f"{row['id']}/{row['repeat']}",
            f"{row['subject']}{row['repeat']}",
        )
    found = summarise(table(told), CLASSES, SETTINGS)["scores"]["mae_probability"]
    assert (found["value"], found["low"]) == (pytest.approx(1 / 3, abs=1e-6), None)


def test_leaving_one_person_out_draws_persons_over_all_repeats():
    # Each repeat tests one person, whose share of right items is all that varies.
    rng = np.random.default_rng(8)
    hits = rng.integers(1, 10, 14)
    told = []
    for person, right in enumerate(hits.tolist()):
        shares = np.eye(3)[[0] * right + [1] * (10 - right)]
        some = rows(shares, [0] * 10, person, subject=[f"S{person}"] * 10)
        told += [row | {"id": f"{row['id']}/{person}"} for row in some]
    found = summarise(table(told), CLASSES, Settings(0.95, 20_000, 0))["scores"]["mae_polarity"]
    error = (2 - 2 * hits / 10).std() / 14**0.5
    assert found["value"] == pytest.approx(np.mean(2 - 2 * hits / 10), abs=1e-6)
    assert (found["high"] - found["low"]) / 2 == pytest.approx(1.96 * error, rel=0.06)


def test_a_single_person_gives_no_interval_at_all():
    shares, truth = random(20, 9)
    found = summarise(table(rows(shares, truth, subject=["S"] * 20)), CLASSES, SETTINGS)
    assert found["persons"] == 1
    assert {entry["low"] for entry in found["scores"].values()} == {None}
    assert found["accuracies"]["raw"]["low"] is None
