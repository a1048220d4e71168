"""Real processes: what they say arrives at once, and none outlives its reason to run."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows import process

FAMILY = """
import os, signal, subprocess, sys, time
{prelude}
child = subprocess.Popen([sys.executable, "-c", {child!r}])
open({pids!r}, "a").write(f"{{os.getpid()}} {{child.pid}} ")
print("started", flush=True)
time.sleep(120)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(120)"
PLAIN = "import time; time.sleep(120)"


def run(code, tmp_path, on_line=lambda line: None, timeout=None):
    command = [sys.executable, "-c", code]
    return process.run(command, tmp_path, process.environment({}), on_line, timeout)


def family(tmp_path, child=PLAIN, prelude=""):
    return FAMILY.format(prelude=prelude, child=child, pids=str(tmp_path / "pids"))


def test_status_and_lines_come_back(tmp_path):
    seen = []
    code = "import sys; print('a\\rb'); print('é', file=sys.stderr); sys.exit(7)"
    ended = run(code, tmp_path, seen.append)
    assert (ended.status, ended.cut) == (7, None)
    assert sorted(seen) == ["a", "b", "é"]
    assert sorted(ended.tail) == sorted(seen)


def test_lines_arrive_while_the_command_runs(tmp_path):
    times = {}
    code = "import time\nfor x in (1, 2): print(x); time.sleep(1)"
    run(code, tmp_path, lambda line: times.setdefault(line, time.monotonic()))
    assert times["2"] - times["1"] > 0.5


def test_only_the_last_lines_are_kept(tmp_path):
    ended = run("for x in range(100): print(x)", tmp_path)
    assert ended.tail == tuple(map(str, range(70, 100)))


def test_a_status_by_signal_is_told(tmp_path):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run(code, tmp_path).status == 128 + signal.SIGKILL


@pytest.mark.parametrize("child", [PLAIN, DEAF], ids=["plain", "deaf"])
def test_the_deadline_ends_the_whole_tree(tmp_path, child, monkeypatch, living):
    began = time.monotonic()
    ended = run(family(tmp_path, child), tmp_path, timeout=1.5)
    assert ended.cut == "deadline"
    assert ended.tail == ("started",)
    assert not living(tmp_path / "pids")
    assert time.monotonic() - began < 30


def test_a_child_left_behind_by_its_parent_is_ended_too(tmp_path, living):
    code = family(tmp_path).replace("time.sleep(120)\n", "")
    assert run(code, tmp_path).status == 0
    assert not living(tmp_path / "pids")


def test_it_stops_when_told(tmp_path, living):
    command = [sys.executable, "-c", family(tmp_path)]
    ended = process.run(
        command,
        tmp_path,
        process.environment({}),
        lambda line: None,
        go_on=lambda: not (tmp_path / "pids").exists() or not living(tmp_path / "pids"),
    )
    assert ended.cut == "stopped"
    assert not living(tmp_path / "pids")


def test_an_exception_ends_the_tree(tmp_path, monkeypatch, living, eventually):
    def interrupted(minder, timeout, go_on):
        eventually(lambda: (tmp_path / "pids").exists())
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "_wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(family(tmp_path), tmp_path)
    assert not living(tmp_path / "pids")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_death_of_the_caller_ends_the_tree(tmp_path, number, living, eventually):
    caller = f"""
from pathlib import Path
from flows import process
process.run([{sys.executable!r}, "-c", {family(tmp_path)!r}], Path({str(tmp_path)!r}),
            process.environment({{}}), print)
"""
    home = Path(process.__file__).parent.parent
    flow = subprocess.Popen([sys.executable, "-c", caller], cwd=home, stderr=subprocess.DEVNULL)
    eventually(lambda: (tmp_path / "pids").exists() and len(living(tmp_path / "pids")) == 2)
    flow.send_signal(number)
    flow.wait(30)
    eventually(lambda: not living(tmp_path / "pids"))


def test_this_interpreters_programs_come_first(tmp_path):
    seen = []
    code = "import shutil; print(shutil.which('dvc'))"
    run(code, tmp_path, seen.append)
    assert seen == [str(Path(sys.executable).parent / "dvc")]
