"""What decides a detection's result, as one digest: only equal ones share finished shards."""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import fer_pipeline
from fer_pipeline.detect.workers import Work
from fer_pipeline.outputs import digest

_PACKAGES = ("dlib-bin", "facenet-pytorch", "numpy", "onnxruntime", "opencv-python", "pillow")
_SOURCES = ("detect/*.py", "detectors/*.py", "faces.py", "images.py", "manifest.py", "pictures.py")


def identity(work: Work, samples: Path, rows: int) -> str:
    """16 hex digits over the samples' content, detector, options, model files, code, versions.

    The raw folder counts by the samples made from it, not by its path.
    """
    here = Path(fer_pipeline.__file__).parent
    code = [path for pattern in _SOURCES for path in sorted(here.glob(pattern))]
    options = json.loads(work.options)
    files = [Path(value) for value in options.values() if isinstance(value, str)]
    packages = {name: _version(name) for name in _PACKAGES}
    return digest(
        *(work.detector, options, work.size, rows, packages, samples),
        *(file for file in [*files, *code] if file.is_file()),
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
