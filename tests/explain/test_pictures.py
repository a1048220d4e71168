import numpy as np
import pytest

from fer_pipeline import manifest
from fer_pipeline.errors import BadManifest
from fer_pipeline.explain.pictures import read


def gray(value: int) -> np.ndarray:
    return np.full((8, 8), value, np.uint8)


@pytest.fixture
def faces(tmp_path, face_row, write):
    rows = [face_row("still", "fear", gray(1))]
    phases = ["neutral", "onset", "apex", "apex", "offset"]
    for frame in (4, 0, 3, 1, 2):
        more = {"sequence": "clip", "frame": frame, "phase": phases[frame]}
        rows.append(face_row(f"clip/{frame}", "fear", gray(10 + frame), **more))
    lost = {"status": manifest.NO_FACE, "crop": None, "sequence": "clip", "frame": 9}
    rows.append(face_row("lost", "fear", gray(0)) | lost)
    write(tmp_path / "faces.parquet", rows, manifest.FACES)
    return tmp_path / "faces.parquet"


def test_a_still_is_one_crop(faces):
    picture = read(faces, ["still"], frames=1)["still"]
    assert [int(crop[0, 0]) for crop in picture.crops] == [1]
    assert picture.apex == 0


def test_a_clip_is_all_its_usable_frames_in_order(faces):
    picture = read(faces, ["clip"], frames=16)["clip"]
    assert [int(crop[0, 0]) for crop in picture.crops] == [10, 11, 12, 13, 14]
    assert picture.apex == 3


def test_a_face_that_is_gone_is_named(faces):
    with pytest.raises(BadManifest, match="lost"):
        read(faces, ["lost"], frames=1)


def test_a_long_clip_keeps_first_last_and_the_height(faces):
    picture = read(faces, ["clip"], frames=3)["clip"]
    assert [int(crop[0, 0]) for crop in picture.crops] == [10, 13, 14]
    assert picture.apex == 1
    assert picture.known
