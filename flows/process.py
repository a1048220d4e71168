"""One command as a child that is watched: its lines as they come, a deadline, and no orphans."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal, Protocol

MINDER: Final = Path(__file__).with_name("minder.py")

TAIL: Final = 30
"""Lines kept for the message of a failure."""

GRACE: Final = 15.0
"""Seconds for the minder to end a tree before it is killed itself; more than its own grace."""


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    status   its exit status, 128 + signal where one ended it
    cut      why it was ended from here, if it was: its deadline, or `go_on` said no
    tail     its last lines
    """

    status: int
    cut: Literal["deadline", "stopped"] | None
    tail: tuple[str, ...]

    @property
    def why(self) -> str:
        """Of the last lines the one that names the error, or else the first."""
        errors = [line for line in self.tail if line.lower().startswith("error")]
        return (errors or [*self.tail, "it said nothing"])[0]


class Minder(Protocol):
    """A process that minds a command; `subprocess.Popen` and `host.Forked` are such."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """Its lifeline."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """What the command says."""

    def poll(self) -> int | None:
        """Its exit status, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended; subprocess.TimeoutExpired before that."""

    def kill(self) -> None:
        """Ends the minder itself."""


def run(
    command: Sequence[str],
    root: Path,
    environment: Mapping[str, str],
    on_line: Callable[[str], None],
    timeout: float | None = None,
    go_on: Callable[[], bool] = lambda: True,
) -> Ended:
    """Runs `command` in `root` to its end, as `follow` does."""
    minder = subprocess.Popen(
        minded(command),
        cwd=root,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return follow(minder, on_line, timeout, go_on)


def minded(command: Sequence[str]) -> list[str]:
    """The command line that runs `command` under a minder, whose standard input is its lifeline."""
    return [sys.executable, "-P", str(MINDER), *command]


def follow(
    minder: Minder,
    on_line: Callable[[str], None],
    timeout: float | None = None,
    go_on: Callable[[], bool] = lambda: True,
) -> Ended:
    """Follows a minded command to its end; `on_line` gets each line of its output at once.

    A carriage return ends a line too, so progress bars come through. `on_line` is called from a
    thread of its own, `go_on` from this one, many times a second. However this call is left
    (return, deadline, exception, the death of this process), the command's whole tree ends first
    or, after a SIGKILL of this process, within the minder's grace.
    """
    last: list[str] = []
    reader = threading.Thread(target=_read, args=(minder.stdout, on_line, last), daemon=True)
    reader.start()
    try:
        cut = _wait(minder, timeout, go_on)
    finally:
        _end(minder)
        reader.join(GRACE)
    return Ended(minder.wait(), cut, tuple(last))


def call(
    root: Path, *command: str, stdin: str | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a command that needs no watching, to its end; its status and output, as text.

    stdin: what it reads; env: its environment, by default `environment({})`.
    """
    return subprocess.run(
        command,
        cwd=root,
        env=environment({}) if env is None else env,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment for a child: this interpreter's programs first, no buffering."""
    programs = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    if path.split(os.pathsep)[0] != programs:
        path = os.pathsep.join([programs, path])
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", **extra}


def _wait(
    minder: Minder, timeout: float | None, go_on: Callable[[], bool]
) -> Literal["deadline", "stopped"] | None:
    """Wakes often, so that a cancel gets through to here; a wait on the pipe would not let it."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while minder.poll() is None:
        if deadline is not None and time.monotonic() >= deadline:
            return "deadline"
        if not go_on():
            return "stopped"
        with suppress(subprocess.TimeoutExpired):
            minder.wait(0.05)
    return None


def _end(minder: Minder) -> None:
    if minder.stdin is not None:
        minder.stdin.close()
    try:
        minder.wait(GRACE)
    except subprocess.TimeoutExpired:
        minder.kill()
        minder.wait()


def _read(stream: IO[bytes] | None, on_line: Callable[[str], None], last: list[str]) -> None:
    if stream is None:
        return
    for line in _lines(stream):
        last.append(line)
        del last[:-TAIL]
        on_line(line)


def _lines(stream: IO[bytes]) -> Iterator[str]:
    rest = b""
    while chunk := os.read(stream.fileno(), 65536):
        *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            if text := line.decode(errors="replace").rstrip():
                yield text
    if text := rest.decode(errors="replace").rstrip():
        yield text
