"""From nothing to a working installation on this machine: server, pools, deployments, workers.

`python -m flows.deploy` stays in the foreground; Ctrl-C ends all it started. A server that answers
at PREFECT_API_URL is used as it is, otherwise one starts on 127.0.0.1:4200.
"""

import argparse
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from fer_pipeline import errors
from fer_pipeline.errors import PipelineError
from flows import HOME, process

PLACE: Final = "FER_PIPELINE_HOME"
"""Tells a worker where its clone is."""

POOLS: Final = {"gpu": 16, "cpu": 16}
"""Work pool -> how many runs at once, over all its workers."""

AT_ONCE: Final = {"gpu": 1, "cpu": 2}
"""Work pool -> how many of them on this machine. A study uses all its GPUs by itself."""

STARTS_WITHIN: Final = 120.0
"""Seconds a server has to answer."""


class NotUp(PipelineError):
    """A part of the installation did not start."""


def main(argv: Sequence[str] | None = None) -> None:
    """Brings everything up, says where, and waits for Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m flows.deploy", description=__doc__)
    parser.add_argument("--port", type=int, default=4200, help="of a server of its own")
    parser.add_argument("--webhook", help="for alerts, see python -m flows.alerts --help")
    asked = parser.parse_args(argv)
    with errors.one_line():
        url = os.environ.get("PREFECT_API_URL") or f"http://127.0.0.1:{asked.port}/api"
        place = Installation(url, HOME)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, place.told)
        try:
            place.up(asked.port, asked.webhook)
            place.wait()
        finally:
            place.down()


@dataclass
class Installation:
    """The server at `url` and this machine's workers; each child ends with this process."""

    url: str
    home: Path
    _stop: threading.Event = field(default_factory=threading.Event)
    _children: dict[str, tuple[threading.Thread, threading.Event]] = field(default_factory=dict)
    _ended: dict[str, process.Ended] = field(default_factory=dict)

    def up(self, port: int, webhook: str | None) -> None:
        """Starts what is not there yet, in order.

        Raises: NotUp.
        """
        if not answers(self.url):
            self._start("server", "server", "start", "--host", "127.0.0.1", "--port", str(port))
            self._answering()
        for pool, limit in POOLS.items():
            self._run("work-pool", "create", pool, "--type", "process", "--overwrite")
            self._run("work-pool", "set-concurrency-limit", pool, str(limit))
        self._run("--no-prompt", "deploy", "--all")
        self._alerts(webhook)
        for pool in POOLS:
            name = f"{socket.gethostname()}-{pool}"
            words = ("--pool", pool, "--name", name, "--limit", str(AT_ONCE[pool]))
            self._start(f"worker {pool}", "worker", "start", *words)
        page = self.url.removesuffix("/api")
        print(f"\nup: {page}/deployments  (study, nightly, data-check)\nCtrl-C ends it", flush=True)

    def wait(self) -> None:
        """Returns when told to stop.

        Raises: NotUp when a child ended by itself.
        """
        while not self._stop.wait(0.2):
            for name, ended in dict(self._ended).items():
                tail = "\n".join(ended.tail[-5:])
                raise NotUp(f"the {name} ended with status {ended.status}: {tail}")

    def told(self, number: int, frame: FrameType | None) -> None:
        """Handles a signal."""
        self._stop.set()

    def down(self) -> None:
        """Ends every child, workers first, so that they can still tell the server."""
        for name, (thread, end) in reversed(self._children.items()):
            end.set()
            thread.join()
            print(f"ended: {name}", flush=True)

    def _start(self, name: str, *words: str) -> None:
        end = threading.Event()

        def keep() -> None:
            self._ended[name] = process.run(
                [sys.executable, "-m", "prefect", *words],
                self.home,
                {**self._environment(), PLACE: str(self.home)},
                lambda line: print(f"{name:<10} | {line}", flush=True),
                go_on=lambda: not end.is_set(),
            )

        thread = threading.Thread(target=keep)
        self._children[name] = thread, end
        thread.start()

    def _answering(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while not answers(self.url):
            if "server" in self._ended or time.monotonic() > deadline:
                tail = self._ended["server"].tail if "server" in self._ended else ()
                raise NotUp(f"no server answers at {self.url}: {' '.join(tail[-3:])}")
            if self._stop.wait(0.3):
                raise NotUp("stopped before the server was up")

    def _run(self, *words: str) -> None:
        self._check([sys.executable, "-m", "prefect", *words])

    def _alerts(self, webhook: str | None) -> None:
        given = ["--webhook", webhook] if webhook else []
        self._check([sys.executable, "-m", "flows.alerts", *given])

    def _check(self, command: Sequence[str]) -> None:
        done = process.call(self.home, *command, env=self._environment())
        if done.returncode:
            said = " ".join((done.stdout + done.stderr).split())
            raise NotUp(f"{' '.join(command[2:])} failed with status {done.returncode}: {said}")

    def _environment(self) -> dict[str, str]:
        """Without the home: `prefect deploy` would write it into the deployments for everyone."""
        every = process.environment({"PREFECT_API_URL": self.url})
        every.pop(PLACE, None)
        return every


def answers(url: str) -> bool:
    """Whether a Prefect server is at this API URL."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main()
