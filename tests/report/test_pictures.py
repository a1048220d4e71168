import base64
import io

import numpy as np
import pytest
from PIL import Image

from fer_pipeline.report.pictures import embed


@pytest.fixture
def picture(tmp_path):
    ramp = np.tile(np.linspace(0, 255, 600).astype(np.uint8), (200, 1))
    Image.fromarray(np.dstack([ramp, ramp // 2, 255 - ramp])).save(tmp_path / "p.png")
    return tmp_path / "p.png"


def decoded(uri):
    kind, _, data = uri.partition(";base64,")
    assert kind == "data:image/webp"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def test_embedded_picture_is_shrunk_and_looks_the_same(picture):
    found = embed(picture, 300, 90)
    pixels = decoded(found.uri)
    assert (found.width, found.height) == (300, 100) == pixels.shape[1::-1]
    wanted = np.asarray(Image.open(picture).resize((300, 100), Image.Resampling.LANCZOS))
    assert np.abs(pixels.astype(int) - wanted).mean() < 4


def test_small_pictures_are_not_enlarged(picture):
    assert embed(picture, 4000, 50).width == 600


def test_same_picture_same_bytes(picture):
    assert embed(picture, 300, 70) == embed(picture, 300, 70)
