"""The same table whoever makes it: one process, several, threads, or runs that go on."""

from concurrent.futures import ThreadPoolExecutor

import pyarrow.parquet as pq
import pytest

from fer_pipeline import manifest
from fer_pipeline.detect import shards
from fer_pipeline.detect.workers import Work
from fer_pipeline.errors import BadParams, MissingData, UnknownName


@pytest.fixture
def table(samples, row):
    """23 rows: pictures, frames of a clip, and some that cannot be read."""
    paths = [f"p{i}.png" for i in range(6)] + ["gray.png", "empty.jpg", "wall.png", "group.png"]
    rows = [row(f"s{i}", path=paths[i % 10]) for i in range(17)]
    return samples(rows + [row(f"f{i}", path="clip.avi", frame=i) for i in range(6)])


@pytest.fixture
def made(table, raw, tmp_path):
    """`made(name, workers, ...)`: bytes of the joined table made in a folder of that name."""

    def make(name, workers=1, rows=5, **options):
        work = Work(raw, "mtcnn", "{}", 64)
        parts = shards.run(table, tmp_path / name, work, workers, rows, **options)
        shards.join(parts, tmp_path / f"{name}.parquet")
        return (tmp_path / f"{name}.parquet").read_bytes()

    return make


def test_one_process_and_several_and_threads_agree(made, monkeypatch):
    alone = made("alone")
    monkeypatch.setattr(shards, "_START_UP", 0)
    assert made("two", workers=2) == alone
    assert made("threads", workers=3, executor=ThreadPoolExecutor) == alone


def test_small_work_starts_no_pool(made):
    def never(workers):
        raise AssertionError("a pool was started")

    made("small", workers=2, rows=128, executor=never)


def test_finished_shards_are_kept_and_the_rest_is_made(made, tmp_path):
    whole = made("first")
    folder = tmp_path / "first"
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"shard-{i:05d}.parquet" for i in range(5)]
    # A mark in a finished shard shows that it was taken as it was.
    marked = pq.read_table(folder / names[1])
    labels = marked.schema.get_field_index("label")
    marked = marked.set_column(labels, marked.schema.field("label"), [["kept"] * 5])
    pq.write_table(marked, folder / names[1])
    (folder / names[3]).unlink()
    assert made("first") != whole
    again = manifest.read(tmp_path / "first.parquet", manifest.FACES)
    assert again["label"].to_pylist() == [None] * 5 + ["kept"] * 5 + [None] * 13


def test_rows_keep_their_number_and_order(made, table, tmp_path):
    made("ordered", rows=4)
    found = manifest.read(tmp_path / "ordered.parquet", manifest.FACES)
    assert found["id"].to_pylist() == manifest.read(table, manifest.SAMPLES)["id"].to_pylist()


def test_no_rows_give_an_empty_table(samples, raw, tmp_path):
    work = Work(raw, "precropped", "{}", 64)
    parts = shards.run(samples([]), tmp_path / "none", work, 2, 8)
    shards.join(parts, tmp_path / "none.parquet")
    assert manifest.read(tmp_path / "none.parquet", manifest.FACES).num_rows == 0


def test_the_joined_table_has_larger_row_groups(samples, row, raw, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "_GROUP", 10)
    path = samples([row(str(i), path="gray.png") for i in range(23)])
    parts = shards.run(path, tmp_path / "g", Work(raw, "precropped", "{}", 64), 1, 4)
    shards.join(parts, tmp_path / "g.parquet")
    meta = pq.read_metadata(tmp_path / "g.parquet")
    assert [meta.row_group(i).num_rows for i in range(meta.num_row_groups)] == [12, 11]


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (("mtcmn", "{}"), UnknownName),
        (("mtcnn", '{"factr": 0.7}'), BadParams),
    ],
)
def test_faults_are_found_before_any_work(table, raw, tmp_path, work, error):
    with pytest.raises(error, match="did you mean"):
        shards.run(table, tmp_path / "x", Work(raw, *work, 64), 1, 5)


def test_a_missing_table(tmp_path, raw):
    with pytest.raises(MissingData, match=r"none\.parquet is not there"):
        shards.run(tmp_path / "none.parquet", tmp_path, Work(raw, "mtcnn", "{}", 64), 1, 5)


def test_an_error_in_a_worker_comes_through(made, monkeypatch, raw, tmp_path):
    monkeypatch.setattr(shards, "_START_UP", 0)

    def breaks(work, samples, shard):
        if shard.name.startswith("shard-00002"):
            raise RuntimeError("broken")
        return finish(work, samples, shard)

    finish = shards.finish
    monkeypatch.setattr(shards, "finish", breaks)
    with pytest.raises(RuntimeError, match="broken"):
        made("broken", workers=2, executor=ThreadPoolExecutor)
    assert not (tmp_path / "broken.parquet").exists()
