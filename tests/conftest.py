"""What all tests share: threads kept to one, and where the real data lies."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

# DVC keeps the standard streams of the moment it is imported. In the middle of a test that captures
# them they would be closed by the next one, and DVC's warnings would become errors.
import dvc  # noqa: F401
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data beside the checkout; the test is skipped where there is none."""
    folder = Path(os.environ.get("FER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder
