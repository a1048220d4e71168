import pytest

from fer_pipeline.errors import MissingData
from fer_pipeline.report.show import places, read, table


def score(value):
    return {"accuracy": value, "low": value - 0.04, "high": value + 0.03}


SUMMARY = {
    "cnn_gru-ckplus": {"ckplus": score(0.8)},
    "resnet18-fer2013": {"ckplus": score(0.5), "fer2013": score(0.7124)},
    "resnet18-ckplus": {"ckplus": score(0.9), "fer2013": score(0.4)},
}


def test_table_has_a_row_per_run_those_of_a_source_together():
    assert table(SUMMARY, width=200).splitlines() == [
        "trained on  model     ckplus         fer2013",
        "----------  --------  -------------  -------------",
        "ckplus      cnn_gru   *80.0 (76-83)  -",
        "ckplus      resnet18  *90.0 (86-93)   40.0 (36-43)",
        "fer2013     resnet18   50.0 (46-53)  *71.2 (67-74)",
    ]


def test_narrow_terminals_get_the_columns_in_blocks():
    text = table(SUMMARY, width=50)
    assert all(len(line) <= 50 for line in text.splitlines())
    first, second = text.split("\n\n")
    assert first.splitlines()[0].endswith("ckplus")
    assert second.splitlines()[0].endswith("fer2013")
    assert second.splitlines()[-1].startswith("fer2013     resnet18")


def test_places_names_what_exists(tmp_path):
    for name in ("report.html", "validate/jaffe/index.html", "validate/mmi/index.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert places(tmp_path).splitlines() == [
        f"report:    {tmp_path / 'report.html'}",
        f"plots:     {tmp_path}",
        f"data docs: {tmp_path / 'validate'}",
    ]
    (tmp_path / "report.html").unlink()
    assert "report:" not in places(tmp_path)


def test_without_a_summary_it_says_what_makes_one(tmp_path):
    with pytest.raises(MissingData, match="dvc repro report"):
        read(tmp_path / "summary.json")
