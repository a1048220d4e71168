"""Detection on a real Dask cluster: the same bytes, also when a worker is killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from fer_pipeline.detect import cluster
from fer_pipeline.detect.__main__ import main
from fer_pipeline.errors import BadParams


@pytest.fixture
def dask(tmp_path):
    """`dask(...)` starts a part of a cluster; all of them end with the test."""
    running = []

    def start(*words):
        command = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running.append(subprocess.Popen(command, cwd=tmp_path, start_new_session=True, **quiet))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def scheduler(dask, tmp_path):
    file = tmp_path / "scheduler.json"
    dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    deadline = time.monotonic() + 60
    while not file.is_file() or '"address"' not in file.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return next(
        line.split('"')[3]
        for line in file.read_text(encoding="utf-8").splitlines()
        if '"address"' in line
    )


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(
    arguments, samples, row, params, tmp_path, dask, scheduler, pooled, shards_in
):
    from distributed import Client

    paths = [f"p{i}.png" for i in range(6)] + ["group.png", "wall.png", "empty.jpg"]
    table = samples([row(f"s{i}", path=paths[i % 9]) for i in range(200)])
    settings = params(shard=2)
    main(arguments(table, settings, "whole"))

    words = ("worker", scheduler, "--nworkers", "1", "--nthreads", "1", "--no-nanny")
    first, second = dask(*words), dask(*words)
    with Client(scheduler) as client:
        client.wait_for_workers(2, timeout=60)
    folder = tmp_path / "killed"
    line = arguments(table, settings, "killed")
    detecting = subprocess.Popen(
        [sys.executable, "-c", pooled, *line],
        env={**os.environ, cluster.SCHEDULER: scheduler},
        stderr=subprocess.DEVNULL,
    )
    while len(shards_in(folder)) < 8:
        assert detecting.poll() is None
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    assert detecting.wait(120) == 0
    assert second.poll() is None
    for name in ("faces.parquet", "detect.json"):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_scheduler_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", "1s")
    with pytest.raises(BadParams, match="no Dask scheduler at tcp://127"):
        cluster.crew("tcp://127.0.0.1:9")


@pytest.mark.slow
def test_a_cluster_without_workers(scheduler):
    with pytest.raises(BadParams, match="has no workers"):
        cluster.crew(scheduler)


def test_without_a_scheduler_processes_do_it(monkeypatch):
    monkeypatch.delenv(cluster.SCHEDULER, raising=False)
    assert cluster.address() is None
    monkeypatch.setenv(cluster.SCHEDULER, "tcp://there:8786")
    assert cluster.address() == "tcp://there:8786"
