import pytest

from fer_pipeline.report.study import read
from fer_pipeline.report.tables import cell, cleaned, headline, matrix, overall


@pytest.fixture
def study(small):
    folder = small.folder
    paths = ("metrics", "scores", "comparison.json", "plots", "params.yaml")
    return read(*(folder / name for name in paths))


def test_headline_has_the_best_model_of_each_source_first(study):
    rows = headline(study)
    assert [row.run.source for row in rows] == ["fer2013", "fer2013", "jaffe", "jaffe"]
    for first, second in (rows[:2], rows[2:]):
        assert (first.best, second.best) == (True, False)
        assert first.cells[0].value >= second.cells[0].value


def test_matrix_marks_the_own_set_and_keeps_sources_together(study):
    rows = matrix(study)
    assert [(run.source, run.model) for run, _ in rows] == [
        ("fer2013", "simple_cnn"),
        ("fer2013", "resnet18"),
        ("jaffe", "simple_cnn"),
        ("jaffe", "resnet18"),
    ]
    assert [[each.own for each in cells] for _, cells in rows] == [[True, False]] * 2 + [
        [False, True]
    ] * 2


def test_means_of_own_and_other_sets(study):
    own = [run.results[run.source]["scores"]["accuracy"]["value"] for run in study.runs]
    facts = overall(study)
    assert facts["own"] == pytest.approx(sum(own) / 4, abs=1e-4)
    assert facts["best"][1].value == pytest.approx(max(own), abs=1e-4)
    assert facts["foreign"] < facts["own"]
    assert facts["generated"] == ["fer2013"]


def test_cleaned_shows_foreign_sets_only_where_pictures_leak(study):
    assert len(cleaned(study)) == 8
    for run in study.runs:
        for target, result in run.results.items():
            if target != run.source:
                kinds = result["accuracies"]
                kinds["leak_free"] = kinds["raw"]
    assert [(run.source, target) for run, target, _ in cleaned(study)] == [
        (run.source, run.source) for run, _ in matrix(study)
    ]


def test_a_score_that_is_not_there_is_no_cell():
    assert cell({"scores": {}}, "kappa") is None
    assert cell({"scores": {"kappa": {"value": None}}}, "kappa") is None
