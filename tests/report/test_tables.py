import pytest

from fer_pipeline.report.tables import (
    Cell,
    cell,
    cleaned,
    headline,
    matrix,
    overall,
    rated,
    repeats,
    unfinished,
)

pytestmark = pytest.mark.xdist_group("report")


@pytest.fixture
def study(small, read):
    return read(small.folder)


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


def test_folds_persons_and_uses_stand_beside_each_number(study):
    rows = {(row.run.model, row.run.source): row for row in headline(study)}
    own = rows["resnet18", "jaffe"]
    assert (own.repeats, own.persons, own.uses) == ("2 of 10 folds", 10, 3)
    own = rows["simple_cnn", "fer2013"]
    assert (own.repeats, own.persons, own.uses) == ("2", None, 2)


def test_folds_left_out_and_folds_tested_again_are_said(study):
    (told,) = unfinished(study)
    assert told.startswith("jaffe: 2 of 10 folds were tested")
    for run in study.runs:
        if run.source == "jaffe":
            run.results["jaffe"]["folds"] = {"tested": 10, "all": 10, "again": 2}
    (told,) = unfinished(study)
    assert "all 10 folds were tested, and 2 of them again" in told
    assert repeats(run.results["jaffe"]) == "10 of 10 folds, 2 twice or more"


def test_ratings_are_shown_where_rows_have_some(study):
    headings, found = rated(study)
    assert [(run.source, target) for run, target, _ in found] == [
        ("fer2013", "jaffe"), ("fer2013", "jaffe"), ("jaffe", "jaffe"), ("jaffe", "jaffe"),
    ]  # fmt: skip
    _, _, cells = found[0]
    # Every rating is 0.5: valence has an error and signs, but no correlation. The rest is unrated.
    assert headings == ["RMSE valence", "CCC valence", "PCC valence", "SAGR valence"]
    assert [each is None for each in cells] == [False, False, True, False]


def test_a_score_without_an_interval_keeps_its_value():
    score = {"value": 1.0, "low": None, "high": None, "sd": 0.0}
    assert cell({"scores": {"kappa": score}}, "kappa") == Cell(1.0, None, None, 0.0)


def test_a_score_that_is_not_there_is_no_cell():
    assert cell({"scores": {}}, "kappa") is None
    assert cell({"scores": {"kappa": {"value": None}}}, "kappa") is None
