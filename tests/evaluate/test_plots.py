"""Tables and picture of a run on its own test set, and the templates that DVC draws them with."""

import csv
import json

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from sklearn import metrics as sk

from fer_pipeline.emotions import COMMON7
from fer_pipeline.evaluate import evaluation, plots
from fer_pipeline.predictions import PREDICTIONS

COUNT = 900


@pytest.fixture(scope="module")
def tested() -> evaluation.Tested:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 6, COUNT)
    logits = rng.normal(size=(COUNT, 7))
    logits[np.arange(COUNT), truth] += 1
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    rows = []
    for i in range(COUNT):
        row = dict.fromkeys(PREDICTIONS.names)
        row |= {"model": "m", "source": "s", "repeat": 0, "target": "s", "id": str(i)}
        row |= {"emotion": COMMON7[truth[i]], "predicted": COMMON7[int(shares[i].argmax())]}
        row |= {f"p_{name}": float(p) for name, p in zip(COMMON7, shares[i], strict=True)}
        rows.append(row | {"repeated": False})
    table = pa.Table.from_pylist(rows, schema=PREDICTIONS)
    return evaluation.Tested("s", COMMON7, (), {}, None, table, {}, [])


@pytest.fixture(scope="module")
def folder(tested, tmp_path_factory):
    place = tmp_path_factory.mktemp("plots")
    plots.write(place, tested, "m on s")
    return place


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_confusion_is_that_of_scikit_learn(tested, folder):
    truth, predicted = (tested.rows[name].to_pylist() for name in ("emotion", "predicted"))
    counts = sk.confusion_matrix(truth, predicted, labels=list(COMMON7))
    found = rows(folder / "confusion.csv")
    assert [int(row["count"]) for row in found] == counts.ravel().tolist()
    assert len(found) == 49
    shares = np.array([float(row["share"]) for row in found]).reshape(7, 7)
    assert shares.sum(axis=1) == pytest.approx([1, 1, 1, 1, 1, 1, 0], abs=1e-3)


def test_roc_is_thinned_and_keeps_its_area(tested, folder):
    found = rows(folder / "roc.csv")
    for emotion in COMMON7[:6]:
        points = [(float(r["fpr"]), float(r["tpr"])) for r in found if r["emotion"] == emotion]
        fpr, tpr = np.array(points).T
        assert 2 < len(points) <= plots.POINTS
        truth = [name == emotion for name in tested.rows["emotion"].to_pylist()]
        area = sk.roc_auc_score(truth, tested.rows[f"p_{emotion}"].to_numpy())
        assert np.trapezoid(tpr, fpr) == pytest.approx(area, abs=0.01)
    assert not [row for row in found if row["emotion"] == "neutral"]


def test_the_picture_can_be_read(folder):
    with Image.open(folder / "confusion.png") as picture:
        assert min(picture.size) > 500


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("confusion_shares", ("share", "count")),
        ("roc_by_emotion", ("emotion",)),
        ("differences", ("source", "target", "low", "high", "p_holm")),
    ],
)
def test_templates_hold_what_dvc_fills_in_and_the_columns_they_draw(root, name, columns):
    text = (root / ".dvc/plots" / f"{name}.json").read_text(encoding="utf-8")
    assert json.loads(text)["data"] == {"values": "<DVC_METRIC_DATA>"}
    for column in columns:
        assert f'"{column}"' in text or f"datum.{column}" in text
