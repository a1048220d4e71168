"""Real FER2013: the known repeats, to the row, and near duplicates that people confirmed."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fer_pipeline import images, manifest
from fer_pipeline.emotions import COMMON7
from fer_pipeline.validate.dataset import Report, validate
from fer_pipeline.validate.params import ValidateParams
from fer_pipeline.validate.perceptual import near_pairs

pytestmark = [pytest.mark.realdata, pytest.mark.xdist_group("real")]
SPLIT_OF = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}


def tables(source: Path, folder: Path) -> tuple[Path, Path]:
    """Samples and faces of FER2013 as ingest and the detector for crops write them."""
    raw = pq.read_table(source / "fer2013.parquet")
    count = raw.num_rows
    crops = raw["image"].to_pylist()
    labels = raw["label"].to_pylist()
    columns = {
        "id": [f"fer2013/{row}" for row in range(count)],
        "dataset": ["fer2013"] * count,
        "split": [SPLIT_OF[usage] for usage in raw["usage"].to_pylist()],
        "label": [str(label) for label in labels],
        "emotion": [COMMON7[label] for label in labels],
        "width": [48] * count,
        "height": [48] * count,
        "pixel_hash": [images.pixel_hash(images.decode_png(crop)) for crop in crops],
        "status": [manifest.OK] * count,
        "image": crops,
        "crop": crops,
        "box": [[0.0, 0.0, 48.0, 48.0]] * count,
        "alignment": ["precropped"] * count,
    }
    paths = []
    for name, schema in (("samples", manifest.SAMPLES), ("faces", manifest.FACES)):
        path = folder / f"{name}.parquet"
        with manifest.writing(path, schema) as writer:
            arrays = [
                pa.array(columns[field.name], field.type)
                if field.name in columns
                else pa.nulls(count, field.type)
                for field in schema
            ]
            writer.add_table(pa.Table.from_arrays(arrays, schema=schema))
        paths.append(path)
    return paths[0], paths[1]


@pytest.fixture(scope="module")
def report(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return validate(
        "fer2013", *tables(shared_data, tmp_path_factory.mktemp("real")), ValidateParams()
    )


def test_known_repeats(report: Report) -> None:
    wanted = {
        "rows": 35_887,
        "distinct_images": 34_034,
        "repeated_rows": 1853,
        "images_in_several_splits": 557,
        "images_in_train_and_test": 278,
        "images_in_train_and_val": 270,
        "images_in_val_and_test": 43,
        "conflicting_labels": 57,
        "constant_images": 12,
        "failed_hard": 0,
    }
    assert {name: report.facts[name] for name in wanted} == wanted


def test_no_picture_of_test_is_left_in_training(report: Report) -> None:
    table = report.leaks
    split = np.repeat(["train", "val", "test"], [28_709, 3_589, 3_589])
    used = table["drop"].isna()
    for part, others in (("train", ("val", "test")), ("val", ("test",))):
        mine = set(table["pixel_hash"][used & (split == part)])
        assert not mine & set(table["pixel_hash"][np.isin(split, others)])
    assert used[split == "test"].all()
    assert (~used).sum() == report.facts["dropped_rows"]


def test_near_search_against_all_pairs(report: Report) -> None:
    table = report.leaks.dropna(subset=["perceptual_hash"]).drop_duplicates("pixel_hash")
    hashes = np.stack([np.frombuffer(value, np.uint8) for value in table["perceptual_hash"]])
    assert len(near_pairs(hashes, 40)) >= 0.998 * 1460
    some = hashes[:12_000]
    signs = np.unpackbits(some, axis=1).astype(np.float32) * 2 - 1
    blocks = (signs[start : start + 2000] @ signs.T for start in range(0, len(signs), 2000))
    # Bits that agree less those that differ; each pair counts twice, each face once with itself.
    close = sum(int((agreement >= 256 - 2 * 40).sum()) for agreement in blocks)
    exact = (close - len(some)) // 2
    assert exact > 100
    assert len(near_pairs(some, 40)) >= 0.99 * exact
