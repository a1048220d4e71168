"""Kills, cancels and timeouts at random moments of a flow, and what is left afterwards.

A small graph whose stages have children of their own; one of them wants a (pretended) GPU. In each
round a flow starts and is ended at a random moment, every other time counted from the start of a
stage: SIGKILL, SIGTERM or SIGINT to its process, a cancel through the server to the runner that
started it, or a stage's own timeout. Then no process of it may live, no output may be half written,
and the next complete run must leave `dvc status` clean. Bar: 200 rounds without a fault. Run as
`python -m benchmarks.injections`; it tells how many of the ends met a running stage. Told to end
(Ctrl-C, SIGTERM), it tells of the rounds that were complete.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelling
from prefect.testing.utilities import prefect_test_harness
from tqdm import tqdm

from flows import HOME, process

MARK = "FER_INJECTION"
WAYS = ("SIGKILL", "SIGTERM", "SIGINT", "cancel", "timeout")
LINES = 2000
PATIENCE = 30.0
"""Seconds within which all processes of an ended flow must be gone."""

PART = """
import pathlib, subprocess, sys, time
name = sys.argv[1]
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
with open(name + ".txt", "w") as file:
    for line in range({LINES}):
        file.write(f"{name} {line}\\n")
        if line % 500 == 0:
            file.flush()
            time.sleep(0.15)
child.kill()
"""
GRAPH = """
stages:
  a: {cmd: python part.py a, deps: [part.py], params: [round], outs: [a.txt], meta: {GPU}}
  b: {cmd: python part.py b, deps: [part.py], params: [round], outs: [b.txt], meta: {META}}
  c: {cmd: python part.py c, deps: [part.py, a.txt, b.txt], outs: [c.txt], meta: {META}}
"""
DEVICES = "0,1,2,3"
FLOW = "from flows.study import study; import sys; study(root=sys.argv[1], wait=60)"
RUNNER = "from flows.study import study; study.serve(name='injected')"


def main() -> None:
    """Plays the rounds and prints what was found, by way of ending."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    ended, met = Counter[str](), Counter[str]()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name, prefect_test_harness(server_startup_timeout=120):
        root = repository(Path(name) / "repo")
        runner = started(root, RUNNER)
        longest = calibrated(root)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            for number in tqdm(range(asked.rounds), desc="injections"):
                way = chance.choice(WAYS)
                (root / "params.yaml").write_text(f"round: {number}\n", encoding="utf-8")
                staged = chance.random() < 0.5
                moment = Moment(staged, chance.uniform(0, 1.0 if staged else longest))
                found = [*injected(root, way, moment, runner.pid), *completed(root)]
                ended[way] += 1
                met[way] += moment.met
                for fault in found:
                    faults.append(f"round {number}, {way}, {moment}: {fault}")
                    tqdm.write(faults[-1])
        runner.terminate()
        runner.wait(60)
    for way, count in ended.items():
        print(f"{way:<8} {count:4d} rounds, {met[way]:4d} of them met a running stage")
    print(f"{sum(ended.values())} rounds, {len(faults)} faults (bar 0)")
    print("\n".join(faults[:20]))
    sys.exit(1 if faults else 0)


@dataclass
class Moment:
    """When a flow is ended: seconds after its start, or after that of its first stage (`staged`);
    `met`: whether a stage ran then."""

    staged: bool
    seconds: float
    met: bool = False

    def wait(self, root: Path, ended: Callable[[], bool]) -> None:
        """Returns when it has come, or the flow has ended."""
        while self.staged and not in_stage(root) and not ended():
            time.sleep(0.02)
        time.sleep(self.seconds)
        self.met = in_stage(root)


def calibrated(root: Path) -> float:
    """Seconds of an undisturbed flow."""
    start = time.perf_counter()
    if found := completed(root):
        sys.exit(f"the undisturbed flow has faults: {found}")
    return time.perf_counter() - start


def injected(root: Path, way: str, moment: Moment, runner: int) -> list[str]:
    """Starts a flow, ends it in this way at this moment; what is wrong then."""
    # DVC's own start is part of a stage's time.
    limit = 0.2 + moment.seconds / 2
    write_graph(root, f"timeout: {limit:.2f}" if way == "timeout" else "")
    ended = cancelled(root, moment) if way == "cancel" else broken_off(root, way, moment)
    if not ended:
        return ["the flow did not end"]
    found = [f"{path} is half written" for path in halves(root)]
    deadline = time.monotonic() + PATIENCE
    while (left := living(root, runner)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found + [f"process {one.pid} lives: {' '.join(one.cmdline())[:120]}" for one in left]


def completed(root: Path) -> list[str]:
    """Runs the flow to its end; what is wrong then."""
    write_graph(root)
    flow = started(root, FLOW, str(root))
    if flow.wait(300):
        return [f"the next complete run failed with status {flow.returncode}"]
    said = process.call(root, "dvc", "status")
    found = [] if "up to date" in said.stdout else [f"dvc status says: {said.stdout}{said.stderr}"]
    whole = [f"{path} is wrong" for path in "abc" if not is_whole(root / f"{path}.txt")]
    return found + whole


def halves(root: Path) -> list[str]:
    """Outputs that dvc.lock vouches for and that are not whole."""
    said = process.call(root, "dvc", "status", "--json")
    if said.returncode:
        return [f"dvc status fails: {said.stderr.strip()}"]
    return [
        f"{name}.txt"
        for name in "abc"
        if f'"{name}"' not in said.stdout and not is_whole(root / f"{name}.txt")
    ]


def is_whole(path: Path) -> bool:
    """Whether a stage's output has all its lines."""
    wanted = "".join(f"{path.stem} {line}\n" for line in range(LINES))
    return path.is_file() and path.read_text(encoding="utf-8") == wanted


def broken_off(root: Path, way: str, moment: Moment) -> bool:
    """Runs the flow as a process; sends it the signal `way` unless a timeout is to end it."""
    flow = started(root, FLOW, str(root))
    if way != "timeout":
        moment.wait(root, lambda: flow.poll() is not None)
        flow.send_signal(signal.Signals[way])
    try:
        status = flow.wait(120)
    except subprocess.TimeoutExpired:
        flow.kill()
        return False
    # Only a limit that a running stage went past makes such a flow fail.
    moment.met |= way == "timeout" and status != 0
    return True


def cancelled(root: Path, moment: Moment) -> bool:
    """Has the runner start the flow, and cancels it as the button in the UI does."""
    parameters = {"root": str(root), "wait": 60}
    run: Any = run_deployment("study/injected", parameters=parameters, timeout=0)
    deadline = time.monotonic() + 120
    with get_client(sync_client=True) as client:

        def state() -> Any:
            return client.read_flow_run(run.id).state

        while state().is_scheduled() and time.monotonic() < deadline:
            time.sleep(0.1)
        moment.wait(root, lambda: state().is_final())
        if not state().is_final():
            client.set_flow_run_state(run.id, Cancelling())
        while not state().is_final():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
    return True


def started(root: Path, code: str, *words: str) -> subprocess.Popen[bytes]:
    """A Python process, marked so that its descendants are known."""
    extra = {MARK: str(root), "PREFECT_API_URL": str(PREFECT_API_URL.value())}
    extra |= {"PREFECT_RUNNER_POLL_FREQUENCY": "1", "CUDA_VISIBLE_DEVICES": DEVICES}
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=HOME,
        env=process.environment(extra),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def in_stage(root: Path) -> bool:
    """Whether a stage of a flow on this repository runs."""
    return any("part.py" in one.info["cmdline"] and one.cwd() == str(root.resolve())
               for one in psutil.process_iter(["cmdline"])
               if one.info["cmdline"] and one.is_running())  # fmt: skip


def write_graph(root: Path, meta: str = "") -> None:
    """dvc.yaml, with what all stages have in their meta."""
    text = GRAPH.replace("{META}", f"{{{meta}}}").replace("{GPU}", f"{{gpu: true, {meta}}}")
    (root / "dvc.yaml").write_text(text, encoding="utf-8")


def living(root: Path, runner: int) -> list[psutil.Process]:
    """Processes that descend from a flow on this repository; the runner's own are none."""
    found = []
    for one in psutil.process_iter():
        try:
            if one.pid in (os.getpid(), runner) or one.environ().get(MARK) != str(root):
                continue
            # Python's own helper, which the runner keeps from its first flow to its end.
            helper = "multiprocessing.resource_tracker" in " ".join(one.cmdline())
            if not (helper and one.ppid() == runner):
                found.append(one)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def repository(root: Path) -> Path:
    """A git and DVC repository of the graph."""
    root.mkdir()
    (root / "part.py").write_text(PART.replace("{LINES}", str(LINES)), encoding="utf-8")
    (root / "params.yaml").write_text("round: -1\n", encoding="utf-8")
    write_graph(root)
    for words in (
        ["git", "init", "-q"],
        ["dvc", "init", "-q"],
        ["git", "add", "-A"],
        ["git", "-c", "user.name=b", "-c", "user.email=b@example.invalid", "commit", "-qm", "b"],
    ):
        subprocess.run(words, cwd=root, env=process.environment({}), check=True)
    return root


if __name__ == "__main__":
    main()
