"""Small DVC repositories with real stages."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

from flows import process
from flows.host import HOST

LONG = """
import pathlib, subprocess, sys, time, os
if pathlib.Path("quick").exists():
    pathlib.Path("long.txt").write_text("done")
    sys.exit()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
pathlib.Path("pids").write_text(f"{os.getpid()} {child.pid}")
time.sleep(300)
"""
LONG_GRAPH = """
stages:
  long: {cmd: python long.py, deps: [long.py], outs: [long.txt], meta: {META}}
"""


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """Started in the background of a shell, tests and all their children would ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(
    params=[signal.SIGKILL, signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.deep)]
)
def ending(request) -> signal.Signals:
    """How a run is ended from outside: killed, by Ctrl-C, told to end."""
    return request.param


@pytest.fixture(scope="session", autouse=True)
def nobodys_git():
    """Commits are made alike whatever this machine's user told git."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "GIT_CONFIG_GLOBAL", os.devnull)
        yield


@pytest.fixture(scope="session")
def command():
    """Runs a program in a folder; its output."""

    def run(folder: Path, *words: str, status: int = 0) -> str:
        done = subprocess.run(
            words,
            cwd=folder,
            env=process.environment({}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def dvc():
    """Runs one of DVC's commands in a folder, forked from a DVC that is loaded; its output."""

    def run(folder: Path, *words: str, status: int = 0) -> str:
        done = HOST.call(folder, *words)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def empty_repository(tmp_path_factory, command):
    """What each repository is a copy of."""
    root = tmp_path_factory.mktemp("repository") / "empty"
    root.mkdir()
    command(root, "git", "init", "-q", "-b", "main")
    command(root, "git", "config", "user.email", "a@b.c")
    command(root, "git", "config", "user.name", "a")
    command(root, "dvc", "init", "-q")
    command(root, "dvc", "config", "core.analytics", "false")
    return root


@pytest.fixture(scope="session")
def repository_at(command, empty_repository):
    """Makes a git and DVC repository of the given files, committed, in a folder."""

    def make(root: Path, files: dict[str, str]) -> Path:
        shutil.copytree(empty_repository, root)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        command(root, "git", "add", "-A")
        command(root, "git", "commit", "-qm", "start")
        return root

    return make


@pytest.fixture
def repository(tmp_path, repository_at):
    """The same in this test's folder."""
    return lambda files, name="repo": repository_at(tmp_path / name, files)


@pytest.fixture
def eventually():
    """Waits until a check holds."""

    def wait(check: Callable[[], object], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not check():
            assert time.monotonic() < end
            time.sleep(0.05)

    return wait


@pytest.fixture
def living():
    """Which of the processes that a file names still run."""

    def of(pids: Path) -> list[int]:
        found = []
        for pid in map(int, pids.read_text(encoding="utf-8").split()):
            with contextlib.suppress(psutil.NoSuchProcess):
                if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                    found.append(pid)
        return found

    return of


@pytest.fixture
def long(repository):
    """Makes a repository whose stage runs for minutes, with a child, until `quick` is there."""

    def make(meta: str = "", name: str = "repo") -> Path:
        graph = LONG_GRAPH.replace("{META}", "{" + meta + "}")
        return repository({"dvc.yaml": graph, "long.py": LONG}, name)

    return make


@pytest.fixture(scope="session")
def server():
    with prefect_test_harness(server_startup_timeout=120):
        yield PREFECT_API_URL.value()
