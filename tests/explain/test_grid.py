import numpy as np

from fer_pipeline.explain.cases import Case
from fer_pipeline.explain.grid import (
    FACE,
    GAP,
    HEADER,
    PALE,
    ROWNAME,
    Explained,
    draw,
    overlay,
    tiles,
)


def explained(frames: int = 1, emotion: str = "fear", predicted: str = "fear") -> Explained:
    crops = [np.full((48, 48), 90, np.uint8)] * frames
    return Explained(Case("x", emotion, predicted, 0.5), crops, [np.zeros((12, 12))] * frames)


def test_overlay_leaves_cold_places_gray_and_colours_hot_ones():
    heat = np.zeros((48, 48), np.float32)
    heat[:20] = 1
    picture = overlay(np.full((48, 48), 90, np.uint8), heat)
    assert picture.shape == (FACE, FACE, 3)
    assert (picture[-20:] == 90).all()
    assert picture[:20].max(axis=2).min() > 150


def test_a_still_shows_face_and_overlay_and_a_clip_its_frames():
    assert len(tiles(explained())) == 2
    assert len(tiles(explained(frames=3))) == 3


def test_there_are_as_many_columns_as_cases():
    cell = 2 * FACE + GAP
    none = draw({}, ("anger", "fear"), "", "gradcam")
    three = draw({("fear", True): [explained()] * 3}, ("anger", "fear"), "", "gradcam")
    assert three.width - none.width == 2 * cell
    assert three.height == none.height


def test_missing_cells_are_pale_and_filled_ones_are_not():
    cells = {("anger", False): [explained(emotion="anger")]}
    sheet = np.asarray(draw(cells, ("anger",), "", "gradcam"))
    pale = (sheet == PALE).all(axis=2)
    right = slice(ROWNAME + GAP, ROWNAME + GAP + 2 * FACE)
    wrong = slice(right.stop + 2 * GAP, right.stop + 2 * GAP + 2 * FACE)
    faces = slice(HEADER, HEADER + FACE)
    # What is left of the pale cell is the word in its middle.
    assert pale[faces, right].mean() > 0.97
    assert not pale[faces, wrong].any()
