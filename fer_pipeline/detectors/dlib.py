"""dlib's HOG detector for frontal faces, with its shape predictor's points.

Needs the extra `dlib`. The 5-point predictor gives four eye corners and the base of the nose: both
eye centres are known, the mouth is not, and faces are aligned by their eyes. The 68-point one gives
all five points; it was trained on iBUG 300-W, whose licence excludes commercial use.

Source: King, JMLR 10, 2009; Kazemi and Sullivan, CVPR 2014; Sagonas et al., IVC 47, 2016.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import Field

from fer_pipeline.errors import MissingData
from fer_pipeline.faces import Face, no_landmarks
from fer_pipeline.params import Section, check

_EXTRA = "pip install 'fer-pipeline[dlib]'"

POINTS: Final[dict[int, list[list[int]]]] = {
    5: [[2, 3], [0, 1], [4]],
    68: [[*range(36, 42)], [*range(42, 48)], [30], [48], [54]],
}
"""Which of the predictor's points make each landmark, by their mean: eye, eye, nose, mouth corners
as seen in the picture. Source: annotations of dlib's 5-point and iBUG's 68-point sets."""


class Options(Section):
    """The detector's own parameters."""

    upsample: int = Field(1, ge=0, le=4, description="doublings first: 80 px faces need none")
    min_score: float = Field(0.0, description="least distance from the SVM's boundary")
    points: Literal[5, 68] = Field(5, description="which shape predictor")


def load(device: str, **options: Any) -> Callable[[Sequence[np.ndarray]], list[list[Face]]]:
    """A detector with eyes and nose, or all five points; the score is the SVM's distance.

    Raises: BadParams for an unknown option, ValueError for a device other than the CPU,
    MissingData without the extra.
    """
    if device != "cpu":
        raise ValueError(f"dlib runs on the CPU only, not on {device!r}")
    chosen = check(Options, options, "detect.options.dlib")
    if find_spec("dlib") is None:
        raise MissingData(f"detector dlib is not installed; {_EXTRA}")
    library: Any = import_module("dlib")
    finder = library.get_frontal_face_detector()
    predictor = library.shape_predictor(str(predictor_file(chosen.points)))

    def detect(images: Sequence[np.ndarray]) -> list[list[Face]]:
        return [_faces(np.ascontiguousarray(item), finder, predictor, chosen) for item in images]

    return detect


def predictor_file(points: int) -> Path:
    """The shape predictor inside `face_recognition_models`.

    The package is located and not imported: its import needs pkg_resources, which is gone.

    Raises: MissingData.
    """
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise MissingData(f"face_recognition_models is not installed; {_EXTRA}")
    file = Path(spec.origin).parent / "models" / f"shape_predictor_{points}_face_landmarks.dat"
    if not file.is_file():
        raise MissingData(f"{file} is missing; {_EXTRA} --force-reinstall")
    return file


def _faces(pixels: np.ndarray, finder: Any, predictor: Any, chosen: Options) -> list[Face]:
    boxes, scores, _ = finder.run(pixels, chosen.upsample, chosen.min_score)
    found = []
    for box, score in zip(boxes, scores, strict=True):
        shape = predictor(pixels, box)
        parts = np.array([[part.x, part.y] for part in shape.parts()], np.float32)
        points = no_landmarks()
        for landmark, indices in enumerate(POINTS[chosen.points]):
            points[landmark] = parts[indices].mean(axis=0)
        edges = [box.left(), box.top(), box.right() + 1, box.bottom() + 1]
        found.append(Face(np.array(edges, np.float32), points, float(score)))
    return sorted(found, key=lambda face: -face.score)
