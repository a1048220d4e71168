"""The tables between stages: what is refused, and what a broken write leaves behind."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fer_pipeline import manifest
from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.errors import BadManifest, MissingData

ROW = {"id": "x/1", "pixel_hash": "ab", "perceptual_hash": b"\x01", "drop": None}


def rows(count):
    return [ROW | {"id": f"x/{number}"} for number in range(count)]


def write(path, found, group=2048):
    with manifest.writing(path, manifest.LEAKS, group) as writer:
        for row in found:
            writer.add(row)
    return writer


def test_schemas_share_their_columns():
    assert set(manifest.SAMPLES.names) - set(manifest.FACES.names) == {"image"}
    assert set(manifest.LEAKS.names) - set(manifest.FACES.names) == {"perceptual_hash", "drop"}
    assert manifest.FACES.field("votes").type.list_size == len(EMOTIONS)
    fields = set(manifest.Sample.__dataclass_fields__) - {"pixels"}
    filled = {"dataset", "width", "height", "pixel_hash", "image"}
    assert set(manifest.SAMPLES.names) - filled <= fields


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "deep" / "down" / "leaks.parquet"
    writer = write(path, rows(5), group=2)
    assert writer.count == 5
    assert manifest.read(path, manifest.LEAKS).to_pylist() == rows(5)
    assert pq.ParquetFile(path).num_row_groups == 3
    assert manifest.read(path, manifest.LEAKS, ["drop", "id"]).column_names == ["drop", "id"]
    sizes = [batch.num_rows for batch in manifest.batches(path, manifest.LEAKS, ["id"], size=2)]
    assert sum(sizes) == 5
    assert max(sizes) <= 2


def test_same_rows_same_bytes(tmp_path):
    write(tmp_path / "a.parquet", rows(100), group=7)
    write(tmp_path / "b.parquet", rows(100), group=7)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_no_rows(tmp_path):
    path = tmp_path / "leaks.parquet"
    write(path, [])
    table = manifest.read(path, manifest.LEAKS)
    assert table.num_rows == 0
    assert table.schema.equals(manifest.LEAKS)


def test_rows_and_tables_mix_in_order(tmp_path):
    path = tmp_path / "leaks.parquet"
    with manifest.writing(path, manifest.LEAKS) as writer:
        writer.add(ROW | {"id": "first"})
        table = pa.Table.from_pylist(rows(2), manifest.LEAKS).select(
            ["drop", "pixel_hash", "perceptual_hash", "id"]
        )
        writer.add_table(table)
        writer.add(ROW | {"id": "last"})
    assert writer.count == 4
    found = manifest.read(path, manifest.LEAKS)["id"].to_pylist()
    assert found == ["first", "x/0", "x/1", "last"]


@pytest.mark.parametrize(
    ("row", "part"),
    [
        (ROW | {"perceptual_hsh": b""}, "did you mean 'perceptual_hash'"),
        ({key: value for key, value in ROW.items() if key != "drop"}, "column 'drop' is missing"),
        (ROW | {"id": None}, "column 'id' has a null"),
        (ROW | {"id": 5}, "leaks"),
    ],
)
def test_bad_rows_are_refused(tmp_path, row, part):
    path = tmp_path / "leaks.parquet"
    with pytest.raises(BadManifest, match=part):
        write(path, [row])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [1, 3])
def test_a_bad_row_after_good_ones_is_refused_too(tmp_path, place):
    """The second in a group, and the first of the second group."""
    found = rows(4)
    found[place] = {key: value for key, value in ROW.items() if key != "drop"}
    with pytest.raises(BadManifest, match="drop"):
        write(tmp_path / "leaks.parquet", found, group=3)
    found[place] = ROW | {"extra": 1}
    with pytest.raises(BadManifest, match="extra"):
        write(tmp_path / "leaks.parquet", found, group=3)


def test_bad_tables_are_refused(tmp_path):
    def add(table):
        with manifest.writing(tmp_path / "leaks.parquet", manifest.LEAKS) as writer:
            writer.add_table(table)

    good = pa.Table.from_pylist(rows(2), manifest.LEAKS)
    with pytest.raises(BadManifest, match="drop"):
        add(good.drop_columns(["drop"]))
    with pytest.raises(BadManifest, match="extra"):
        add(good.append_column("extra", pa.array([1, 2])))
    with pytest.raises(BadManifest, match="null"):
        add(good.set_column(0, "id", pa.array(["a", None])))
    with pytest.raises(BadManifest, match="leaks"):
        add(good.set_column(0, "id", pa.array([[1], [2]])))
    assert list(tmp_path.iterdir()) == []


def test_a_broken_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "leaks.parquet"
    write(path, rows(3))
    before = path.read_bytes()

    def broken():
        with manifest.writing(path, manifest.LEAKS, 1) as writer:
            writer.add(ROW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_is_not_hidden_by_rows_not_yet_written(tmp_path):
    def broken():
        with manifest.writing(tmp_path / "leaks.parquet", manifest.LEAKS) as writer:
            writer.add(ROW | {"id": None})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()


def test_nothing_is_at_the_path_before_the_end(tmp_path):
    path = tmp_path / "leaks.parquet"
    with manifest.writing(path, manifest.LEAKS, 1) as writer:
        writer.add(ROW)
        assert not path.exists()
    assert path.is_file()


def test_bad_files_are_refused(tmp_path):
    path = tmp_path / "leaks.parquet"
    with pytest.raises(MissingData, match="dvc repro"):
        manifest.read(path, manifest.LEAKS)
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(BadManifest, match="no Parquet"):
        manifest.read(path, manifest.LEAKS)
    good = pa.Table.from_pylist(rows(2), manifest.LEAKS)
    pq.write_table(good.drop_columns(["drop"]), path)
    with pytest.raises(BadManifest, match="'drop' is missing"):
        manifest.read(path, manifest.LEAKS, ["id"])
    pq.write_table(good.append_column("dropp", pa.array(["a", "b"])), path)
    with pytest.raises(BadManifest, match="unknown column 'dropp'"):
        list(manifest.batches(path, manifest.LEAKS))
    pq.write_table(good.set_column(0, "id", pa.array([1, 2])), path)
    with pytest.raises(BadManifest, match="'id' is int64, not string"):
        manifest.read(path, manifest.LEAKS)


def test_memory_does_not_grow_with_the_table(tmp_path):
    path = tmp_path / "leaks.parquet"
    payload = bytes(range(256)) * 40
    allocated = []
    with manifest.writing(path, manifest.LEAKS, 50) as writer:
        for number in range(2000):
            writer.add(ROW | {"id": str(number), "perceptual_hash": payload})
            allocated.append(pa.total_allocated_bytes())
    # All rows together hold 20 MB, a group half a MB.
    assert max(allocated[200:]) - allocated[199] < 4_000_000
