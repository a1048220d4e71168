"""A study that workers share through a real PostgreSQL."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fer_pipeline.tune import storage


def programs() -> Path | None:
    """Folder of the newest PostgreSQL server on this machine."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in versions), default=None)


def as_owner() -> list[str]:
    """What runs a command as somebody whom PostgreSQL lets start a server: not root."""
    return (
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if not os.getuid() else []
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """URL of a database of its own."""
    folder = programs()
    if folder is None:
        pytest.skip("no PostgreSQL server on this machine")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = Path("/tmp") / f"fer-postgres-{os.getpid()}"
    base.mkdir(mode=0o777)
    base.chmod(0o777)
    data = base / "data"
    try:
        subprocess.run(
            [*as_owner(), folder / "initdb", "-D", data, "-U", "fer", "-A", "trust", "-N"],
            check=True,
            capture_output=True,
            cwd=base,
        )
        process = subprocess.Popen(
            [*as_owner(), folder / "postgres", "-D", data, "-p", str(port), "-k", base]
            + ["-c", "listen_addresses=127.0.0.1"],
            cwd=base,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        for line in process.stderr:
            if "ready to accept connections" in line:
                break
        yield f"postgresql://fer@127.0.0.1:{port}/postgres"
        process.send_signal(signal.SIGINT)
        process.stderr.close()
        process.wait(timeout=30)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def test_two_workers_share_a_study(server, command, tmp_path, monkeypatch):
    monkeypatch.setenv(storage.VARIABLE, server)
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "fer_pipeline.tune", *command(name, trials=8)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    told = [worker.communicate(timeout=200)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], told
    one, two = (
        json.loads((tmp_path / name / "simple_cnn-fer2013.json").read_text())
        for name in ("one", "two")
    )
    assert one == two
    assert 8 <= one["trials"] <= 9
    assert all("trial " in text for text in told), "both took part"
