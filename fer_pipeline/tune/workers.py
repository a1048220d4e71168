"""Workers of a study: which trials are being run, and which were left by a process that died."""

import socket
import threading
import time
from typing import Any, Final

import psutil
from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

EVERY: Final = 15.0
"""Seconds between two signs of life of a running trial."""

SILENT: Final = 120.0
"""Seconds without one after which its worker is taken for dead."""

WORKER: Final = "worker"
PULSE: Final = "pulse"
AGAIN: Final = "again"
WHY: Final = "why"
"""User attributes of a trial: who runs it, its last sign of life, the number of the lost one that
it repeats, and why it could not be trained.
"""


class Pulse:
    """Context in which a trial gives signs of life."""

    def __init__(self, trial: Trial) -> None:
        self._trial, self._over = trial, threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        me = psutil.Process()
        worker = {"host": socket.gethostname(), "pid": me.pid, "started": me.create_time()}
        self._trial.set_user_attr(WORKER, worker)
        self._trial.set_user_attr(PULSE, time.time())
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(EVERY):
            self._trial.set_user_attr(PULSE, time.time())


def was_lost(trial: FrozenTrial) -> bool:
    """Whether a trial ended with its worker, and so says nothing about its values."""
    return trial.state == TrialState.FAIL and WHY not in trial.user_attrs


def alive(study: Study) -> list[FrozenTrial]:
    """Trials that some worker is running."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [trial for trial in running if not _lost(trial)]


def recover(study: Study) -> list[int]:
    """Numbers of the trials whose worker died; each is queued to be run again with its values."""
    found = []
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if not _lost(trial):
            continue
        try:
            study.tell(trial.number, state=TrialState.FAIL)
        except UpdateFinishedTrialError:
            continue  # Another worker was faster; it queues the trial, too.
        queue(study, trial)
        found.append(trial.number)
    return found


def queue(study: Study, lost: FrozenTrial | Trial) -> None:
    """Has the values of a lost trial tried again, before any new ones."""
    study.enqueue_trial(lost.params, user_attrs={AGAIN: lost.number})


def _lost(trial: FrozenTrial) -> bool:
    worker: dict[str, Any] | None = trial.user_attrs.get(WORKER)
    if worker is not None and worker["host"] == socket.gethostname():
        return not _runs(worker)
    began = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
    return time.time() - trial.user_attrs.get(PULSE, began) > SILENT


def _runs(worker: dict[str, Any]) -> bool:
    try:
        started = psutil.Process(worker["pid"]).create_time()
    except psutil.NoSuchProcess:
        return False
    # Another process may have been given the number since: in a container, this very one.
    return bool(abs(started - worker["started"]) < 1)
