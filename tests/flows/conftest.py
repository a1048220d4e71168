"""Small DVC repositories with real stages."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows import process


@pytest.fixture
def command():
    """Runs a program in a folder; its output."""

    def run(folder: Path, *words: str, status: int = 0) -> str:
        done = subprocess.run(
            words,
            cwd=folder,
            env=process.environment({"GIT_CONFIG_GLOBAL": "/dev/null"}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def repository(tmp_path, command):
    """Makes a git and DVC repository of the given files, committed."""

    def make(files: dict[str, str], name: str = "repo") -> Path:
        root = tmp_path / name
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        command(root, "git", "init", "-q", "-b", "main")
        command(root, "git", "config", "user.email", "a@b.c")
        command(root, "git", "config", "user.name", "a")
        command(root, sys.executable, "-m", "dvc", "init", "-q")
        command(root, "dvc", "config", "core.analytics", "false")
        command(root, "git", "add", "-A")
        command(root, "git", "commit", "-qm", "start")
        return root

    return make
