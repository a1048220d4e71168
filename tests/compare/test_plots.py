"""The table and picture of differences, also where a difference has no interval."""

import csv

from PIL import Image

from fer_pipeline.compare import plots


def pair(a: str, b: str, low: float | None, high: float | None) -> dict:
    place = {"source": "jaffe", "target": "jaffe", "a": a, "b": b}
    test = {"on": "repeats 0+1", "p_holm": 0.04} if low else {"on": "repeat 0", "why": "none"}
    return place | {"difference": 0.1, "low": low, "high": high, "mcnemar": [test]}


def test_a_difference_without_an_interval_has_empty_cells_and_a_point(tmp_path):
    pairs = [pair("one", "two", 0.05, 0.15), pair("one", "three", None, None)]
    plots.write(tmp_path, {"pairs": pairs, "many": [], "confidence": 0.95})
    with (tmp_path / "differences.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["low"], row["p_holm"], row["mcnemar_on"]) for row in rows] == [
        ("0.05000", "0.04", "repeats 0+1"),
        ("", "", "repeat 0"),
    ]
    assert Image.open(tmp_path / "differences.png").size[0] > 900
    assert not (tmp_path / "critical_difference.png").exists()
