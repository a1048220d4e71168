"""Pictures that sets share."""

import pandas as pd
import pytest

from fer_pipeline.errors import BadManifest, MissingData
from fer_pipeline.validate import across
from fer_pipeline.validate.dataset import validate
from fer_pipeline.validate.params import ValidateParams
from fer_pipeline.validate.writing import write_leaks

PLAIN = ValidateParams()


@pytest.fixture
def three(make, write, tmp_path):
    """fer2013; jaffe with two of its pictures, one twice, and a near one; rafdb with none."""
    jaffe = make.grouped()
    for number, pixels in {
        3: make.picture(100),
        4: make.picture(100),
        5: make.picture(101),
        6: make.brighter(make.picture(102)),
    }.items():
        jaffe[number] = make.row("jaffe", number, pixels, subject="s0")
    fer = [make.row("fer2013", n, make.picture(100 + n), split="train") for n in range(63)]
    for one, split in zip(fer, ["train"] * 21 + ["val"] * 21 + ["test"] * 21, strict=True):
        one["split"] = split
    raf = [
        make.row("rafdb", n, make.picture(500 + n), split="test" if n > 30 else "train")
        for n in range(42)
    ]
    for name, rows in (("fer2013", fer), ("jaffe", jaffe), ("rafdb", raf)):
        report = validate(name, *write(name, rows), PLAIN)
        write_leaks(tmp_path / "leaks" / f"{name}.parquet", report.leaks)
    return tmp_path


def test_shared_pictures(three) -> None:
    sets = ["fer2013", "jaffe", "rafdb"]
    found = across.compare(sets, three / "samples", three / "leaks", PLAIN)
    table = found.pairs.set_index(["a", "b"])
    assert table.index.tolist() == [("fer2013", "jaffe"), ("fer2013", "rafdb"), ("jaffe", "rafdb")]
    pair = table.loc["fer2013", "jaffe"]
    assert pair[["pictures", "rows_a", "rows_b", "near"]].tolist() == [2, 2, 3, 1]
    assert table.drop(index=("fer2013", "jaffe"))[["pictures", "near"]].to_numpy().sum() == 0
    assert found.facts() == {
        "pairs_of_sets": 3,
        "pictures_in_fer2013_and_jaffe": 2,
        "near_in_fer2013_and_jaffe": 1,
        "failed_hard": 0,
        "failed_soft": 2,
    }
    assert [one.rows for one in found.outcomes] == [("fer2013 and jaffe",)] * 2


def test_severity(three) -> None:
    strict = ValidateParams(severities={"sets_share_no_picture": "hard"})
    sets = ["fer2013", "jaffe"]
    found = across.compare(sets, three / "samples", three / "leaks", strict)
    assert [one.name for one in found.failed("hard")] == ["sets_share_no_picture"]


def test_one_set_has_nobody_to_share_with(three) -> None:
    found = across.compare(["jaffe"], three / "samples", three / "leaks", PLAIN)
    assert found.pairs.empty
    assert found.facts() == {"pairs_of_sets": 0, "failed_hard": 0, "failed_soft": 0}


def test_tables_must_belong_together(three, make, write) -> None:
    write("jaffe", make.grouped(subjects=3))
    with pytest.raises(BadManifest, match=r"leaks.jaffe\.parquet"):
        across.compare(["jaffe", "rafdb"], three / "samples", three / "leaks", PLAIN)
    with pytest.raises(MissingData, match="mmi"):
        across.compare(["rafdb", "mmi"], three / "samples", three / "leaks", PLAIN)


def test_hashes_of_two_sizes_are_refused() -> None:
    rows = {
        name: pd.DataFrame({"pixel_hash": [name], "perceptual_hash": [bytes(size)]})
        for name, size in (("a", 8), ("b", 32))
    }
    with pytest.raises(BadManifest, match="several sizes"):
        across.pairs(rows, 10)


def test_sets_without_a_face_share_nothing() -> None:
    rows = {
        name: pd.DataFrame({"pixel_hash": [name], "perceptual_hash": [None]}) for name in ("a", "b")
    }
    assert across.pairs(rows, 10)[["pictures", "near"]].to_numpy().tolist() == [[0, 0]]
