"""DVC's commands as forks of one process that has DVC loaded; the other side of flows/host.py.

`python -m flows.forks FD` takes orders from the socket FD. For each it forks a minder, and that
forks DVC's command. An order is its length, with the file descriptors, and then JSON: the folder,
the words after `dvc`, the environment.
"""

import gc
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, Final

from flows import HOME, lockfile, minder

NUMBER: Final = struct.Struct("!i")
"""How numbers travel: an order's length, a minder's process id, its exit status."""

HANDED: Final = 4
"""File descriptors that come with an order: lifeline, output, errors, status."""


def main() -> None:
    """Loads DVC, then forks a minder for each order until the socket closes."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    # Ctrl-C reaches the whole group; whoever holds the socket decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _load()
    forking = get_context("fork")
    while taken := _order(orders):
        order, handed = taken
        forking.Process(target=_minded, args=(orders, order, handed)).start()
        for descriptor in handed:
            os.close(descriptor)
        # Takes in those that have ended.
        active_children()
    # Those that still run have lost their lifeline too, and end by themselves.
    os._exit(0)


def _load() -> None:
    """Imports what DVC's commands need, much of which they import only when they run."""
    import tqdm
    from dvc.cli import main as dvc

    lockfile.take_over()
    # A thread that watches progress bars would not live on in a fork.
    tqdm.tqdm.monitor_interval = 0
    os.chdir(HOME)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        dvc(["stage", "list", "--quiet"])
    # What is loaded stays: a collection in a fork would only copy its memory.
    gc.collect()
    gc.freeze()


def _order(orders: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next order, with its file descriptors; None once the socket is closed."""
    try:
        length, handed, _, _ = socket.recv_fds(orders, NUMBER.size, HANDED)
    except ConnectionError:
        return None
    if len(length) < NUMBER.size:
        return None
    for descriptor in handed:
        os.set_inheritable(descriptor, False)
    (size,) = NUMBER.unpack(length)
    with orders.makefile("rb", buffering=0) as stream:
        text = b""
        while len(text) < size and (part := stream.read(size - len(text))):
            text += part
    return (json.loads(text), list(handed)) if len(text) == size else None


def _minded(orders: socket.socket, order: Mapping[str, Any], handed: list[int]) -> None:
    """A minder's life: tells its id, minds the command, tells how that ended."""
    orders.close()
    lifeline, output, error, status = handed
    os.write(status, NUMBER.pack(os.getpid()))
    os.dup2(output, 1)
    os.dup2(error, 2)
    os.close(output)
    os.close(error)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["root"])
    ended = minder.mind(lambda: _Command(order["words"], [lifeline, status]), lifeline)
    os.write(status, NUMBER.pack(ended))


class _Command:
    """DVC's command in a fork of its own."""

    def __init__(self, words: list[str], foreign: list[int]) -> None:
        process: Any = get_context("fork").Process(target=_dvc, args=(words, foreign))
        process.start()
        self._process = process

    def poll(self) -> int | None:
        return self._process.exitcode  # type: ignore[no-any-return]

    def wait(self) -> None:
        self._process.join()


def _dvc(words: list[str], foreign: list[int]) -> None:
    minder.listen()
    for descriptor in foreign:
        os.close(descriptor)
    from dvc.cli import main as dvc

    sys.exit(dvc(words))


if __name__ == "__main__":
    main()
