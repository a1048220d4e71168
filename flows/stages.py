"""One stage as a Prefect task: `dvc repro --single-item`, its lines as logs, its progress shown."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from httpx import HTTPError
from prefect import get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.concurrency.sync import concurrency
from prefect.events import emit_event
from prefect.exceptions import PrefectException
from prefect.states import Completed, State

from fer_pipeline.errors import PipelineError
from flows import devices, process, progress
from flows.graph import Stage
from flows.host import HOST

PROGRESS_EVERY: Final = 2.0
"""Seconds between two updates of a progress artifact."""

SLOT_WAIT: Final = 5.0
"""Seconds to wait for the server's slot of a GPU."""

SLOT_KEPT: Final = 60.0
"""Seconds after which the server takes back the slot of a run that was killed; its shortest."""

SHOWN_WITHIN: Final = 10.0
"""Seconds that an ended stage waits for its last progress to be shown."""

UNCHANGED: Final = "didn't change, skipping"
"""What DVC says of a stage whose dependencies turned out equal."""


class StageFailed(PipelineError):
    """A stage's command failed, ran past its limit, or was stopped with its study."""


@dataclass(frozen=True)
class Crew:
    """Several workers for one stage at once, which share its trials through a storage."""

    stage: str
    workers: int
    storage: str


@dataclass
class Setting:
    """What all stages of one run share.

    devices  GPUs that may be lent; none: every stage runs on the CPU
    limited  whether the server has a limit named `limit()` that counts them
    remote   whether DVC's remote has what stages need and gets what they make
    extra    environment of the stages, beside this process's
    crew     which stage several workers are given at once
    stop     set when the run ends early: stages that still run end at once
    """

    root: Path
    devices: tuple[str, ...] = ()
    limited: bool = False
    force: bool = False
    remote: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)
    crew: Crew | None = None
    stop: threading.Event = field(default_factory=threading.Event)


def limit() -> str:
    """Name of the server's concurrency limit for this machine's GPUs."""
    return f"gpu:{socket.gethostname()}"


def options(stage: Stage, setting: Setting) -> dict[str, Any]:
    """How a stage's task is named, retried and described."""
    return {
        "name": stage.name,
        "task_run_name": stage.name,
        "description": stage.description or None,
        "retries": stage.hints.retries,
        "retry_delay_seconds": stage.hints.retry_delay,
        "retry_condition_fn": lambda task, run, state: not setting.stop.is_set(),
    }


@task(cache_policy=NO_CACHE, persist_result=False)
def run(stage: Stage, reason: str | None, lease: devices.Lease | None, setting: Setting) -> State:
    """Runs a stage that has a reason to; one without is shown as `Cached`, without a process.

    Raises: StageFailed.
    """
    if reason is None:
        return Completed(name="Cached", message="nothing it depends on has changed")
    logger = get_run_logger()
    logger.info("%s; %s", stage.description or stage.name, reason)
    watch = _Watch(stage, setting, logger)
    gpu = devices.environment(stage.hints.gpu, lease)
    began = time.monotonic()
    if setting.remote and stage.needs:
        _transfer(setting.root, "pull", "--force", *stage.needs)
    with _slot(lease, setting, logger):
        ended = _dvc(stage, setting, process.environment({**setting.extra, **gpu}), watch)
    _check(stage, ended)
    if setting.remote:
        _transfer(setting.root, "push", "--run-cache", stage.name)
    if any(UNCHANGED in line for line in ended.tail):
        return Completed(name="Cached", message="what it depends on turned out equal")
    watch.finish()
    seconds = time.monotonic() - began
    emit_event(
        "fer.stage.completed",
        resource={"prefect.resource.id": f"fer.stage.{stage.name}"},
        payload={"stage": stage.name, "seconds": round(seconds, 1), "outs": list(stage.outs)},
    )
    return Completed(message=f"ran {seconds:.0f} s")


def _dvc(
    stage: Stage, setting: Setting, environment: Mapping[str, str], watch: "_Watch"
) -> process.Ended:
    # Another stage may be writing dvc.lock: this one waits for it.
    words = ["--wait-for-lock", "repro", "--single-item"]
    words += ["--force"] if setting.force else []
    words += [*(["--pull"] if setting.remote else []), stage.name]
    minded = HOST.start(setting.root, words, environment)
    return process.follow(minded, watch.line, stage.hints.timeout, watch.go_on)


def _transfer(root: Path, *words: str) -> None:
    done = HOST.call(root, *words)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise StageFailed(f"dvc {' '.join(words)} in {root} failed: {said}")


@contextmanager
def _slot(lease: devices.Lease | None, setting: Setting, logger: Any) -> Iterator[None]:
    """One of the slots by which the server counts this machine's GPUs in use.

    The lease on the device is what protects it. A server may count slots of runs that were killed
    as taken, so that none is waited for longer than `SLOT_WAIT`, nor must a lost renewal end a
    training.
    """
    with ExitStack() as held:
        if lease is not None and setting.limited:
            slot = concurrency(
                limit(),
                timeout_seconds=SLOT_WAIT,
                lease_duration=SLOT_KEPT,
                strict=True,
                raise_on_lease_renewal_failure=False,
            )
            try:
                held.enter_context(slot)
            except TimeoutError:
                logger.warning(
                    "the server counts no GPU of this machine as free, though device %s is: going "
                    "on without a slot of %s",
                    lease.device,
                    limit(),
                )
        yield


def _check(stage: Stage, ended: process.Ended) -> None:
    if ended.cut == "deadline":
        raise StageFailed(
            f"{stage.name} ran past its limit of {stage.hints.timeout:g} s and was ended; what it "
            "finished is kept: run again, or raise timeout in its meta in dvc.yaml"
        )
    if ended.cut == "stopped":
        raise StageFailed(f"{stage.name} was stopped with its study; run again to go on")
    if ended.status:
        raise StageFailed(f"{stage.name} failed with status {ended.status}: {ended.why}")


class _Watch:
    """Logs a stage's lines and keeps its progress artifact; `line` and `go_on` differ in thread.

    The artifact is brought up to date from a thread of its own: a server that is slow or gone for
    a while holds up neither the stage nor its deadline.
    """

    def __init__(self, stage: Stage, setting: Setting, logger: Any) -> None:
        self._stage, self._setting, self._logger = stage, setting, logger
        self._seen: progress.Progress | None = None
        self._shown: progress.Progress | None = None
        self._artifact: Any = None
        self._next = 0.0
        self._showing = ThreadPoolExecutor(1, thread_name_prefix="progress")
        self._last: Future[None] | None = None

    def line(self, line: str) -> None:
        """Takes a line of the stage's output."""
        self._seen = progress.of(line) or self._seen
        if not progress.is_bar(line) and not progress.is_advice(line):
            self._logger.info(line)

    def go_on(self) -> bool:
        """Shows progress when it is due; False once the study stops."""
        if self._seen != self._shown and time.monotonic() >= self._next:
            self._show(self._seen)
        return not self._setting.stop.is_set()

    def finish(self) -> None:
        """Completes the artifact, if there is one."""
        if self._seen is not None:
            self._show(progress.Progress(1.0, "done"), wait=True)
        self._showing.shutdown(wait=False)

    def _show(self, state: progress.Progress | None, wait: bool = False) -> None:
        """Has the state shown, unless the one before still is being shown."""
        if state is None or (self._last is not None and not self._last.done() and not wait):
            return
        self._shown, self._next = state, time.monotonic() + PROGRESS_EVERY
        self._last = self._showing.submit(copy_context().run, self._put, state)
        if wait:
            wait_for([self._last], timeout=SHOWN_WITHIN)

    def _put(self, state: progress.Progress) -> None:
        percent = round(100 * state.share, 1)
        text = f"{self._stage.name}: {state.what}"
        try:
            if self._artifact is None:
                self._artifact = create_progress_artifact(percent, description=text)
            else:
                update_progress_artifact(self._artifact, percent, description=text)
        except (HTTPError, PrefectException, OSError) as error:
            self._logger.debug("the server takes no progress; the stage goes on: %s", error)
