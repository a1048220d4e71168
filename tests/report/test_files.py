"""Files that are not what they should be."""

import pytest

from fer_pipeline.errors import BadManifest
from fer_pipeline.report.files import read_csv, read_json


def test_broken_files_are_named(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(BadManifest, match="is no JSON"):
        read_json(tmp_path / "a.json", "train")
    (tmp_path / "a.csv").write_text("epoch\n1\n")
    with pytest.raises(BadManifest, match="no column 'val_loss'"):
        read_csv(tmp_path / "a.csv", "train", ["epoch", "val_loss"])
