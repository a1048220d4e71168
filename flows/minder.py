"""Runs a command and takes its whole tree of processes down when told to, or when left alone.

`python minder.py COMMAND...`: standard input is the lifeline. The process that started the
minder holds its other end; when that end closes, on purpose or because its holder was killed
(SIGKILL included), the command and all its descendants end: SIGTERM first, SIGKILL after `GRACE`.
Exit status: the command's; 128 + signal where one ended it; 130 when the lifeline closed.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, Protocol

import psutil

GRACE: Final = 10.0
"""Seconds that a tree has between SIGTERM and SIGKILL."""

LEFT_ALONE: Final = 130

_PR_SET_CHILD_SUBREAPER: Final = 36
"""Source: linux/prctl.h."""


class Child(Protocol):
    """What is minded; `subprocess.Popen` is one."""

    def poll(self) -> int | None:
        """Its exit status, the negative number of the signal that ended it, or None: it runs."""

    def wait(self) -> object:
        """Returns once it has ended."""


def main() -> None:
    """Minds the command on the command line; exits with its status."""
    words = sys.argv[1:]
    sys.exit(
        mind(
            lambda: subprocess.Popen(words, stdin=subprocess.DEVNULL, preexec_fn=listen), lifeline=0
        )
    )


def mind(start: Callable[[], Child], lifeline: int) -> int:
    """Minds the child that `start` makes; returns its status as `main` exits with it.

    lifeline: the file descriptor whose other end the starter holds.
    """
    adopt()
    stop = threading.Event()

    def told(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, told)
    # Ctrl-C reaches the whole group; whoever holds the lifeline decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = start()
    threading.Thread(target=_watch, args=(lifeline, stop), daemon=True).start()
    threading.Thread(target=_wait, args=(child, stop), daemon=True).start()
    stop.wait()
    status = child.poll()
    end_tree(psutil.Process(), GRACE)
    if status is None:
        return LEFT_ALONE
    return 128 - status if status < 0 else status


def adopt() -> None:
    """Descendants whose parent dies become this process's children (Linux), so none is lost."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_tree(parent: psutil.Process, grace: float) -> None:
    """Ends every descendant of `parent`: SIGTERM, then SIGKILL after `grace` seconds.

    Repeats until none is left: a process may start another while it is told to end.
    """
    first = True
    while living := _descendants(parent):
        for process in living:
            try:
                process.terminate() if first else process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(living, timeout=grace if first else 1.0)
        first = False


def _descendants(parent: psutil.Process) -> list[psutil.Process]:
    try:
        found = parent.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [process for process in found if _alive(process)]


def _alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def listen() -> None:
    """Called in the child: it gets Ctrl-C, SIGTERM and SIGHUP as if nobody minded it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _watch(lifeline: int, stop: threading.Event) -> None:
    while os.read(lifeline, 1024):
        pass
    stop.set()


def _wait(child: Child, stop: threading.Event) -> None:
    child.wait()
    stop.set()


if __name__ == "__main__":
    main()
