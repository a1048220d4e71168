"""Numbers counted by hand."""

import pytest

from fer_pipeline import manifest
from fer_pipeline.detect import counts


@pytest.fixture
def table(tmp_path):
    kinds = [
        ("ok", "five_points", 1),
        ("ok", "five_points", 3),
        ("ok", "eyes", 1),
        ("uncertain", "box", 2),
        ("uncertain", None, 0),
        ("no_face", None, 0),
        ("unreadable", None, None),
    ]
    with manifest.writing(tmp_path / "faces.parquet", manifest.FACES) as writer:
        for number, (status, alignment, faces) in enumerate(kinds):
            said = {"id": str(number), "dataset": "x", "status": status}
            said |= {"alignment": alignment, "faces": faces}
            writer.add(dict.fromkeys(manifest.FACES.names) | said)
    return tmp_path / "faces.parquet"


def test_counts(table):
    assert counts.count(table) == {
        "rows": 7,
        "read": 6,
        "found": 4,
        "detection_rate": 0.666667,
        "several_faces": 2,
        "status": {"no_face": 1, "ok": 3, "uncertain": 2, "unreadable": 1},
        "alignment": {"box": 1, "eyes": 1, "five_points": 2},
    }


def test_lines(table):
    text = counts.lines(counts.count(table)).splitlines()
    assert "  status uncertain                2" in text
    assert text[-1] == "  detection rate              66.7%"
    assert len({len(line) for line in text}) == 1


def test_of_no_rows(tmp_path):
    with manifest.writing(tmp_path / "none.parquet", manifest.FACES):
        pass
    assert counts.count(tmp_path / "none.parquet")["detection_rate"] == 0.0
