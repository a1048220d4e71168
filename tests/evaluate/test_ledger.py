"""The ledger: each use once, whoever writes at the same time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fer_pipeline.errors import BadManifest
from fer_pipeline.evaluate import ledger


def use(number: int) -> dict[str, object]:
    return {"model": "m", "target": "t", "weights": f"{number:02d}", "rows": "r"}


def test_a_use_is_recorded_once(tmp_path):
    path = tmp_path / "metrics" / "uses.jsonl"
    assert ledger.record(path, [use(1), use(2), use(1)]) == 2
    assert ledger.record(path, [use(2), use(3)]) == 1
    assert ledger.read(path) == [use(1), use(2), use(3)]


def test_uses_are_counted_by_distinct_weights():
    given = [use(1), use(2), use(2) | {"rows": "others"}, use(3) | {"target": "u"}]
    given = [each | {"source": "s"} for each in given]
    assert ledger.times(given) == {("m", "s", "t"): 2, ("m", "s", "u"): 1}


def test_the_order_of_recording_leaves_no_trace(tmp_path):
    ledger.record(tmp_path / "a", [use(2)])
    ledger.record(tmp_path / "a", [use(1)])
    ledger.record(tmp_path / "b", [use(1), use(2)])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nothing_is_lost_when_many_write_at_once(tmp_path):
    path = tmp_path / "uses.jsonl"
    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(lambda n: ledger.record(path, [use(n), use(99)]), range(40)))
    assert len(ledger.read(path)) == 41 == sum(new)


def test_a_torn_line_is_named(tmp_path):
    path = tmp_path / "uses.jsonl"
    path.write_text('{"model": "m"}\n{"model"')
    with pytest.raises(BadManifest, match="line 2"):
        ledger.record(path, [use(1)])
