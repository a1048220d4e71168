"""Data docs: readable without a network, the same bytes for the same data."""

import re

import pytest

from fer_pipeline.validate import docs
from fer_pipeline.validate.dataset import validate
from fer_pipeline.validate.params import ValidateParams


@pytest.fixture
def report(make, write):
    rows = make.official()
    rows[43] = make.row("fer2013", 43, make.picture(2), split="test", emotion=rows[2]["emotion"])
    rows[8]["box"] = [-30.0, 0.0, 18.0, 48.0]
    rows[9]["id"] = "fer2013/<b>9</b>&"
    return validate("fer2013", *write("fer2013", rows), ValidateParams(min_picture_side=49))


def test_pages(report, tmp_path) -> None:
    docs.write(tmp_path / "docs", report)
    pages = {path.name: path.read_text("utf-8") for path in (tmp_path / "docs").iterdir()}
    assert set(pages) == {"index.html", "schema.html", "samples.html", "faces.html"}
    for page in pages.values():
        assert not re.search(r"(?:src|href)=[\"'](?!index\.html|\w+\.html|#)", page)
        assert "http" not in page
        assert "<script" not in page
        assert "<b>9</b>" not in page
    index = pages["index.html"]
    for one in report.outcomes:
        assert one.name in index
    assert "fer2013/43" in index
    assert "fer2013/&lt;b&gt;9&lt;/b&gt;&amp;" in index
    assert "same picture in test" in index
    assert "warnings out of" in index
    assert "Every picture&#39;s shorter side" in index
    assert "No picture lies in two splits." in pages["samples.html"]


def test_the_same_data_give_the_same_bytes(report, make, write, tmp_path) -> None:
    docs.write(tmp_path / "one", report)
    rows = make.official()
    rows[43] = make.row("fer2013", 43, make.picture(2), split="test", emotion=rows[2]["emotion"])
    rows[8]["box"] = [-30.0, 0.0, 18.0, 48.0]
    rows[9]["id"] = "fer2013/<b>9</b>&"
    paths = write("fer2013", rows)
    again = validate("fer2013", *paths, ValidateParams(min_picture_side=49))
    docs.write(tmp_path / "two", again)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("policy", "words"), [("fail", "Stops the run: 1 of"), ("keep", "Usable, with 3 warnings")]
)
def test_verdict(make, write, policy, words) -> None:
    rows = make.official()
    rows[43] = make.row("fer2013", 43, make.picture(2), split="test", emotion=rows[2]["emotion"])
    rows[9] = make.row("fer2013", 9, make.picture(9, side=20), split="train")
    params = ValidateParams(leaks=policy, min_face_side=10)
    assert words in docs.index(validate("fer2013", *write("fer2013", rows), params))
