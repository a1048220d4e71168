import pytest

from fer_pipeline import emotions
from fer_pipeline.errors import UnknownName


def test_the_order_that_checkpoints_and_tables_rely_on():
    assert emotions.EMOTIONS == (
        "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt",
    )  # fmt: skip
    assert emotions.COMMON7 == emotions.EMOTIONS[:7]
    assert emotions.BASIC6 == emotions.EMOTIONS[:6]


@pytest.mark.parametrize(
    ("word", "emotion"),
    [("angry", "anger"), ("Disgusted", "disgust"), ("FEARFUL", "fear"), ("happy", "happiness"),
     ("sad", "sadness"), (" surprised ", "surprise"), ("NE", "neutral"), ("contempt", "contempt")],
)  # fmt: skip
def test_spellings(word, emotion):
    assert emotions.parse(word) == emotion


def test_no_spelling_means_two_emotions():
    spellings = [word for words in emotions.SPELLINGS.values() for word in words]
    assert len(spellings) == len(set(spellings))


def test_an_unknown_word_names_the_nearest():
    with pytest.raises(UnknownName, match=r"'hapy' is no emotion; did you mean 'happy'\?"):
        emotions.parse("hapy")


def test_every_emotion_has_coordinates_and_a_polarity():
    assert set(emotions.CIRCUMPLEX) == set(emotions.POLARITY) == set(emotions.EMOTIONS)
    assert all(-1 <= v <= 1 and -1 <= a <= 1 for v, a in emotions.CIRCUMPLEX.values())
    negative = {e for e, (valence, _) in emotions.CIRCUMPLEX.items() if valence < 0}
    assert negative == {e for e, sign in emotions.POLARITY.items() if sign < 0}


def test_in_order():
    assert emotions.in_order({"neutral", "anger", "fear"}) == ("anger", "fear", "neutral")
