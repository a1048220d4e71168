"""Section `detect` and the detector on a dataset's line."""

import pytest

from fer_pipeline import params as sections
from fer_pipeline.detect.params import DetectParams, detector_of
from fer_pipeline.errors import BadParams


def test_defaults(params):
    found = sections.section(DetectParams, params(), "detect")
    assert (found.size, found.workers, found.shard, found.options) == (112, 0, 128, {})


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"sise": 96}, "did you mean 'size'"),
        ({"size": 4}, r"detect\.size = 4"),
        ({"shard": 0}, r"detect\.shard = 0"),
        ({"options": {"mtcmn": {}}}, "no detector 'mtcmn'; did you mean 'mtcnn'"),
    ],
)
def test_faults_are_named(params, section, message):
    with pytest.raises(BadParams, match=message):
        sections.section(DetectParams, params(**section), "detect")


def test_the_detector_of_a_set(params):
    path = params(detector="haar")
    assert detector_of(path, "drawn") == "haar"
    with pytest.raises(BadParams, match="no 'drwan'; did you mean 'drawn'"):
        detector_of(path, "drwan")
    with pytest.raises(BadParams, match="names no detector; known: dlib, haar"):
        detector_of(params(detector=None), "drawn")
