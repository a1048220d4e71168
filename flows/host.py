"""DVC, loaded once and forked for each command: to start it anew takes a second every time.

`HOST` is this process's side; the other, which has DVC loaded and forks, is flows/forks.py.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from flows import HOME, process
from flows.forks import NUMBER


class Forked:
    """A minder that a host forked, as `process.run` wants it; what it does is `subprocess.Popen`'s.

    stdin is its lifeline, stdout what DVC and the stage say.
    """

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes] | None, status: int) -> None:
        self.stdin, self.stdout = stdin, stdout
        self.returncode: int | None = None
        self._status = status
        self._pid = 0

    def poll(self) -> int | None:
        """Its exit status, or None while it runs."""
        while self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self._take()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended.

        Raises: subprocess.TimeoutExpired.
        """
        while self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("dvc", timeout or 0.0)
            self._take()
        return self.returncode

    def kill(self) -> None:
        """Ends the minder itself."""
        if self._pid and self.poll() is None:
            os.kill(self._pid, signal.SIGKILL)

    def _take(self) -> None:
        """Its process id comes first, its status last; neither comes from one that was killed."""
        number = os.read(self._status, NUMBER.size)
        if len(number) < NUMBER.size:
            self.returncode = 128 + signal.SIGKILL
        elif not self._pid:
            (self._pid,) = NUMBER.unpack(number)
            return
        else:
            (self.returncode,) = NUMBER.unpack(number)
        os.close(self._status)


class Host:
    """Starts DVC's commands from a process that has DVC loaded; that ends with this process.

    Several threads may start commands. A loaded process that was killed is started again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def load(self) -> None:
        """Starts loading, if nothing has yet; it takes a second, beside whatever comes next."""
        with self._lock:
            self._opened()

    def start(self, root: Path, words: Sequence[str], environment: Mapping[str, str]) -> Forked:
        """Starts `dvc WORDS...` in a folder, minded; what it says comes by the minder's `stdout`.

        Raises: OSError when no process can be started.
        """
        read, write = os.pipe()
        with os.fdopen(write, "wb", 0) as output:
            stdout = os.fdopen(read, "rb", 0)
            return self._start(root, words, environment, output, output, stdout)

    def call(self, root: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a command that needs no watching, to its end; its status and output, as text."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as error:
            minded = self._start(root, words, process.environment({}), output, error, None)
            with minded.stdin:
                status = minded.wait()
            texts = []
            for file in (output, error):
                file.seek(0)
                texts.append(file.read().decode(errors="replace"))
        return subprocess.CompletedProcess(["dvc", *words], status, *texts)

    def _start(
        self,
        root: Path,
        words: Sequence[str],
        environment: Mapping[str, str],
        output: IO[bytes],
        error: IO[bytes],
        stdout: IO[bytes] | None,
    ) -> Forked:
        order = {"root": str(root), "words": list(words), "environment": dict(environment)}
        (lifeline, stdin), (status, told) = os.pipe(), os.pipe()
        try:
            self._send(
                json.dumps(order).encode(), [lifeline, output.fileno(), error.fileno(), told]
            )
        except OSError:
            os.close(stdin)
            os.close(status)
            raise
        finally:
            os.close(lifeline)
            os.close(told)
        return Forked(os.fdopen(stdin, "wb", 0), stdout, status)

    def _send(self, order: bytes, descriptors: list[int]) -> None:
        with self._lock:
            try:
                _hand_over(self._opened(), order, descriptors)
            except ConnectionError:
                self._close()
                _hand_over(self._opened(), order, descriptors)

    def _opened(self) -> socket.socket:
        if self._socket is None:
            self._socket, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "flows.forks", str(theirs.fileno())],
                    cwd=HOME,
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
        return self._socket

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.wait()


HOST: Final = Host()
"""This process's own."""


def _hand_over(orders: socket.socket, order: bytes, descriptors: list[int]) -> None:
    socket.send_fds(orders, [NUMBER.pack(len(order))], descriptors)
    orders.sendall(order)
