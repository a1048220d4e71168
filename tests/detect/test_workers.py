"""The pool's processes: what they load, and that none outlives its parent."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from fer_pipeline.detect.workers import Work, cores, detector, finish, processes

PARENT = """
import os, sys, time
from fer_pipeline.detect.workers import processes

if __name__ == "__main__":
    pool = processes(2)
    list(pool.map(time.sleep, [0.3, 0.3]))
    print(*pool._processes, flush=True)
    time.sleep(60)
"""

LIGHT = """
import sys
import numpy as np
from fer_pipeline.detect import __main__
from fer_pipeline.detect.workers import detector
detect = detector(sys.argv[1], sys.argv[2], 0)
detect([np.zeros((90, 90, 3), np.uint8)])
heavy = {"torch", "torchvision", "facenet_pytorch", "pandas", "scipy"} & set(sys.modules)
print(sorted(heavy))
"""


def test_a_pool_works():
    with processes(2) as pool:
        assert list(pool.map(abs, [-1, -2])) == [1, 2]


def test_cores():
    assert 1 <= cores() <= (os.cpu_count() or 1)


def test_workers_die_with_a_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        workers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(workers) >= 1
        parent.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


@pytest.mark.parametrize("name", ["haar", "mtcnn", "precropped", "yunet"])
def test_start_up_imports_nothing_heavy(name, shared_data):
    """`import torch` alone takes longer than detection on a small set."""
    model = shared_data / "weights" / "face_detection_yunet_2023mar.onnx"
    options = {"model": str(model)} if name == "yunet" else {}
    command = [sys.executable, "-c", LIGHT, name, json.dumps(options)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_detector_is_loaded_once_per_thread():
    assert detector("precropped", "{}", 1) is detector("precropped", "{}", 1)
    assert detector("precropped", "{}", 1) is not detector("precropped", "{}", 2)


def test_a_shard_is_written_whole_or_not_at_all(raw, row, tmp_path, monkeypatch):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from fer_pipeline import manifest

    rows = pa.Table.from_pylist([row("a", path="p0.png")], schema=manifest.SAMPLES)
    shard = tmp_path / "shard.parquet"

    def broken(table, path, **_):
        path.write_bytes(b"half")
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", broken)
        with pytest.raises(OSError, match="disk full"):
            finish(Work(raw, "precropped", "{}", 64), rows, shard)
    assert list(tmp_path.iterdir()) == []
    assert finish(Work(raw, "precropped", "{}", 64), rows, shard) == 1
    assert time.time() - shard.stat().st_mtime < 60
