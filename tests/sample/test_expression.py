import numpy as np
import pytest

from fer_pipeline import votes as fer_votes
from fer_pipeline.emotions import CIRCUMPLEX, EMOTIONS
from fer_pipeline.sample import expression


def rng(seed=0):
    return np.random.default_rng(seed)


def test_every_emotion_has_a_prototype_with_valid_intensities():
    assert set(expression.FORMS) == set(EMOTIONS)
    levels = [
        level for forms in expression.FORMS.values() for form in forms for level in form.values()
    ]
    assert all(0 < level <= 5 for level in levels)


@pytest.mark.parametrize(
    ("emotion", "core"),
    [
        ("happiness", {6, 12}),
        ("sadness", {1, 4, 15}),
        ("surprise", {1, 2, 5, 26}),
        ("fear", {1, 2, 4, 5, 20}),
        ("disgust", {9, 10}),
        ("anger", {4, 5, 7}),
        ("contempt", {14}),
    ],
)
def test_prototypes_hold_the_core_units(emotion, core):
    # EMFACS core units (Ekman & Friesen): what both full forms of the emotion share.
    for form in expression.FORMS[emotion][:2]:
        assert core <= set(form)


def test_units_scale_with_intensity_and_traces_vanish():
    display = {12: 5.0, 6: 0.15}
    assert expression.at(display, {}, 1.0) == {6: 0.15, 12: 5.0}
    assert expression.at(display, {}, 0.5) == {12: 2.5}
    assert expression.at(display, {}, 0.0) == {}


def test_a_habit_adds_to_the_display_up_to_the_limit():
    assert expression.at({12: 4.0}, {12: 2.0, 4: 1.0}, 1.0) == {4: 1.0, 12: 5.0}
    assert expression.at({12: 4.0}, {12: 2.0, 4: 1.0}, 0.0) == {4: 1.0, 12: 2.0}


def test_affect_lies_on_the_circumplex():
    draw = rng()
    felt = np.array([expression.affect("happiness", 0.5, draw) for _ in range(2000)])
    assert felt.mean(axis=0) == pytest.approx(np.array(CIRCUMPLEX["happiness"]) / 2, abs=0.01)
    assert felt.std(axis=0) == pytest.approx([0.05, 0.05], abs=0.005)
    assert np.abs(felt).max() <= 1


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_votes_are_ten_and_clear_displays_win(emotion):
    draw = rng(3)
    ballots = [expression.votes(emotion, 1.0, 0.1, draw) for _ in range(400)]
    assert {sum(ballot) for ballot in ballots} == {10}
    assert {len(ballot) for ballot in ballots} == {10}
    won = np.mean([fer_votes.majority(ballot) == emotion for ballot in ballots])
    assert won > 0.97


def test_weak_or_ambiguous_displays_divide_the_raters():
    def share(intensity, ambiguity):
        draw = rng(4)
        return np.mean(
            [expression.votes("fear", intensity, ambiguity, draw)[2] for _ in range(400)]
        )

    assert share(1.0, 0.1) > share(0.5, 0.1) > share(0.5, 0.9)
    assert share(1.0, 0.1) > share(1.0, 0.9)


def test_chance_of_a_right_vote_by_hand():
    # Full intensity, ambiguity 0.2: (1 - 0.55 * 0.2) * 0.95 = 0.8455 of ten votes.
    draw = rng(5)
    mean = np.mean([expression.votes("fear", 1.0, 0.2, draw)[2] for _ in range(4000)])
    assert mean == pytest.approx(8.455, abs=0.06)


def test_variants_take_the_form_asked_for():
    closed = [expression.variant("happiness", rng(seed), forms=(1, 0, 0)) for seed in range(30)]
    parted = [expression.variant("happiness", rng(seed), forms=(0, 1, 0)) for seed in range(30)]
    assert not any(25 in display for display in closed)
    assert all(25 in display for display in parted)


def test_halves_of_the_face_are_damped_apart():
    full = expression.variant("happiness", rng(1), (1, 0, 0))
    half = expression.variant("happiness", rng(1), (1, 0, 0), upper=0.5, lower=0.25)
    assert half[6] == pytest.approx(full[6] * 0.5)
    assert half[12] == pytest.approx(full[12] * 0.25)


def test_errors_are_taken_for_a_neighbour():
    draw = rng(2)
    taken = {expression.mistaken("fear", draw) for _ in range(200)}
    assert taken == {"surprise", "sadness"}
