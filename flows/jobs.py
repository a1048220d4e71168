"""Stages side by side, without a server: what `python -m flows.repro --jobs N` runs."""

import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from flows import devices, graph, lock, lockfile, process, progress
from flows.graph import Stage
from flows.host import HOST
from flows.process import Ended

BAR_EVERY: Final = 10.0
"""Seconds between two states of a stage's progress bar that are shown."""

LOOK_EVERY: Final = 0.5
"""Seconds after which a device that came free is seen, and a signal heard."""


def run(root: Path, targets: Iterable[str], jobs: int, force: bool = False) -> bool:
    """Runs what has changed of the targets (none: everything), up to `jobs` stages at once.

    Each runs as `dvc repro --single-item`, with its share of the cores, its lines begin with its
    name. After a failure nothing more starts and what runs is finished. True if all went well.

    Raises: UnknownName, BadParams, lock.Busy.
    """
    with lock.working_tree(root, 0.0), _terminable():
        lockfile.mend(root)
        plan = graph.stages(root, targets)
        reasons = graph.stale(root, plan, force)
        if not reasons:
            print("Data and pipelines are up to date.")
            return True
        print(f"{len(plan)} stages, {len(reasons)} to run, {jobs} at once", flush=True)
        return _Jobs(root, plan, reasons, jobs, force).run()


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does: every stage's whole tree of processes first."""

    def told(number: int, frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Jobs:
    """The stages of one run: which wait, which run, which failed."""

    def __init__(
        self,
        root: Path,
        plan: Mapping[str, Stage],
        reasons: Mapping[str, str],
        jobs: int,
        force: bool,
    ) -> None:
        self._root, self._plan, self._jobs = root, plan, jobs
        self._options = ["--force"] if force else []
        self._waiting = [name for name in plan if name in reasons]
        self._running: dict[Future[Ended], tuple[str, devices.Lease | None]] = {}
        self._failed: list[str] = []
        self._devices = devices.found()
        self._share = devices.share(jobs)
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._count = len(self._waiting)

    def run(self) -> bool:
        with ThreadPoolExecutor(self._jobs) as pool:
            try:
                self._fill(pool)
                while self._running:
                    ended, _ = wait(self._running, LOOK_EVERY, FIRST_COMPLETED)
                    for future in ended:
                        self._take(future)
                    self._fill(pool)
            finally:
                # Whatever ended this run early ends its stages, too.
                self._stop.set()
        for line in self._failed:
            print(f"error: {line}", file=sys.stderr)
        return not self._failed

    def _fill(self, pool: ThreadPoolExecutor) -> None:
        """Starts stages as long as there is room and one is ready."""
        for name in self._ready():
            if len(self._running) >= self._jobs:
                return
            lease = None
            if self._plan[name].hints.gpu and self._devices:
                lease = devices.lease(self._devices)
                if lease is None:
                    continue
            self._waiting.remove(name)
            self._running[pool.submit(self._stage, name, lease)] = name, lease

    def _ready(self) -> list[str]:
        if self._failed:
            return []
        open_yet = {*self._waiting, *(name for name, _ in self._running.values())}
        return [name for name in self._waiting if not open_yet & {*self._plan[name].needs}]

    def _take(self, future: Future[Ended]) -> None:
        name, lease = self._running.pop(future)
        if lease is not None:
            lease.__exit__(None, None, None)
        ended = future.result()
        if ended.status:
            self._failed.append(f"{name} failed with status {ended.status}: {ended.why}")
        done = self._count - len(self._waiting) - len(self._running)
        state = "failed" if ended.status else "done"
        seconds = time.monotonic() - self._began
        _say(name, f"{state}; {done} of {self._count} after {seconds:.0f} s")

    def _stage(self, name: str, lease: devices.Lease | None) -> Ended:
        """In a thread of its own: one stage to its end."""
        # Another stage may be writing dvc.lock: this one waits for it.
        words = ["--wait-for-lock", "repro", "--single-item", *self._options, name]
        shown = devices.environment(self._plan[name].hints.gpu, lease)
        minded = HOST.start(self._root, words, process.environment({**self._share, **shown}))
        return process.follow(minded, _Printed(name), go_on=lambda: not self._stop.is_set())


class _Printed:
    """Prints a stage's lines under its name; of its bars a state now and then."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._next = 0.0

    def __call__(self, line: str) -> None:
        if progress.is_advice(line):
            return
        if progress.is_bar(line):
            if time.monotonic() < self._next:
                return
            self._next = time.monotonic() + BAR_EVERY
        _say(self._name, line)


def _say(name: str, line: str) -> None:
    # In one piece: other stages' threads write, too.
    sys.stdout.write(f"{name} | {line}\n")
    sys.stdout.flush()
