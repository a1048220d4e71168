"""The server of a single run: found where one is named, started and ended where none is."""

import contextlib
import os
import subprocess
import sys

import psutil
import pytest

from fer_pipeline.errors import PipelineError
from flows import HOME, server

pytestmark = pytest.mark.slow


@pytest.fixture
def nothing(monkeypatch, tmp_path):
    """An environment and a folder that name no server."""
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setenv("FER_TEST", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_no_server_is_named(nothing):
    (nothing / "prefect.toml").write_text("[server]\nanalytics_enabled = false\n")
    (nothing / "profiles.toml").write_text('active = "one"\n[profiles.one]\n[profiles.two]\n')
    assert not server.named()


@pytest.mark.parametrize("where", ["environment", "folder", "profile", "chosen profile"])
def test_a_named_server_is_found_as_prefect_finds_it(nothing, monkeypatch, where):
    url, active = "http://127.0.0.1:1/api", "two" if where == "profile" else "one"
    if where == "environment":
        monkeypatch.setenv("PREFECT_API_URL", url)
    elif where == "folder":
        (nothing / "prefect.toml").write_text(f'[api]\nurl = "{url}"\n')
    else:
        text = f'active = "{active}"\n[profiles.one]\n[profiles.two]\nPREFECT_API_URL = "{url}"\n'
        (nothing / "profiles.toml").write_text(text)
        if where == "chosen profile":
            monkeypatch.setenv("PREFECT_PROFILE", "two")
    assert server.named()
    code = "from prefect.settings import PREFECT_API_URL; print(PREFECT_API_URL.value())"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert said.stdout.strip() == url


def test_it_answers_until_it_is_ended(nothing):
    up = server.Temporary()
    up.wait()
    assert server.answers(up.url)
    assert marked(nothing)
    up.end()
    assert not server.answers(up.url)
    assert not marked(nothing)


def test_one_that_ends_at_once_says_so(nothing, monkeypatch):
    monkeypatch.setattr(server.process, "minded", lambda words: [sys.executable, "-c", "exit(3)"])
    with pytest.raises(PipelineError, match="ended with status 3"):
        server.Temporary().wait()


def test_the_command_runs_a_study_with_a_server_of_its_own(nothing, repository, command):
    good = "stages:\n  one: {cmd: echo 1 > x, outs: [x]}\n"
    root = repository({"dvc.yaml": f"{good}  two: {{cmd: exit 3, deps: [x], outs: [y]}}\n"})
    said = command(HOME, sys.executable, "-m", "flows", "--root", str(root), status=1)
    assert said.splitlines()[-1] == "2 stages: 1 run, 0 cached; failed: two"
    assert not marked(nothing)


def marked(folder):
    """Processes that a test started; this one's own environment is older than the mark."""
    found = []
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if one.environ().get("FER_TEST") == str(folder):
                found.append(one)
    return found
