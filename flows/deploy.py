"""From nothing to a working installation on this machine: server, pools, deployments, workers.

`python -m flows.deploy` stays in the foreground; Ctrl-C ends all it started. A server that answers
at PREFECT_API_URL is used as it is, otherwise one starts on 127.0.0.1:4200. With --host 0.0.0.0
workers on other machines reach it, and so does everybody else who reaches this machine: it asks for
no password unless PREFECT_SERVER_API_AUTH_STRING and PREFECT_API_AUTH_STRING are set.
"""

import argparse
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from httpx import HTTPError
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.workers.process import ProcessWorker

from fer_pipeline import errors
from fer_pipeline.errors import BadParams
from flows import HOME, pools, process, schedules
from flows.server import STARTS_WITHIN, NotUp, answers

LOOPBACK: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"

PLACE: Final = "FER_PIPELINE_HOME"
"""Tells a worker where its checkout is."""

POOLS: Final = {"gpu": 16, "cpu": 16}
"""Work pool -> how many runs at once, over all its workers."""

AT_ONCE: Final = {"gpu": 2, "cpu": 4}
"""Work pool -> how many of them on this machine. A study that gives orders, of which there may be
three in the pool cpu (cluster, tune, data-check), leaves room for what it orders."""


def main(argv: Sequence[str] | None = None) -> None:
    """Brings everything up, says where, and waits for Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m flows.deploy", description=__doc__)
    parser.add_argument("--host", default=LOOPBACK, help="where a server of its own listens")
    parser.add_argument("--port", type=int, default=4200, help="of a server of its own")
    parser.add_argument("--webhook", help="for alerts, see python -m flows.alerts --help")
    parser.add_argument(
        "--infrastructure",
        choices=pools.KINDS,
        default="process",
        help="where runs live: beside their worker, or each in a container (see flows/pools)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="changes",
        metavar="NAME=VALUE",
        help="a default of the containers, such as image=... or memory=16Gi; several times",
    )
    asked = parser.parse_args(argv)
    with errors.one_line():
        url = os.environ.get("PREFECT_API_URL") or reached(asked.host, asked.port)
        place = Installation(url, HOME, asked.infrastructure, tuple(asked.changes))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, place.told)
        try:
            place.up(asked.port, asked.webhook, asked.host)
            place.wait()
        finally:
            place.down()


def reached(host: str, port: int) -> str:
    """Where this machine finds the API of a server that listens there."""
    return f"http://{LOOPBACK if host == EVERYWHERE else host}:{port}/api"


@dataclass
class Installation:
    """The server at `url` and this machine's workers; each child ends with this process."""

    url: str
    home: Path
    kind: str = "process"
    changes: tuple[str, ...] = ()
    _stop: threading.Event = field(default_factory=threading.Event)
    _children: dict[str, tuple[threading.Thread, threading.Event]] = field(default_factory=dict)
    _ended: dict[str, process.Ended] = field(default_factory=dict)

    def up(self, port: int, webhook: str | None, host: str = LOOPBACK) -> None:
        """Starts what is not there yet, in order; a server listens on `host`.

        Raises: NotUp; BadParams for `changes`, MissingData for a kind that cannot run here.
        """
        pools.ready(self.kind)
        templates = self._templates()
        if not answers(self.url):
            words = ("server", "start", "--host", host, "--port", str(port))
            self._start("server", "flows.transactions", *words)
            self._answering()
        for pool, limit in POOLS.items():
            self.make_pool(pool, templates.get(pool), limit)
        self.deploy()
        self._alerts(webhook)
        for pool in POOLS:
            name = f"{socket.gethostname()}-{pool}"
            words = ("--pool", pool, "--name", name, "--limit", str(AT_ONCE[pool]))
            self._start(f"worker {pool}", "prefect", "worker", "start", "--type", self.kind, *words)
        page = self.url.removesuffix("/api")
        print(f"\nup: {page}/deployments  (study, nightly, data-check)\nCtrl-C ends it", flush=True)

    def _templates(self) -> dict[str, dict[str, Any]]:
        if self.kind == "process":
            if self.changes:
                raise BadParams(
                    "--set changes containers; add --infrastructure docker, or kubernetes"
                )
            return {}
        return {pool: pools.template(self.kind, pool == "gpu", self.changes) for pool in POOLS}

    def make_pool(
        self, name: str, template: dict[str, Any] | None = None, limit: int | None = None
    ) -> None:
        """Makes or updates a work pool of at most `limit` runs at once.

        Without a template it gets Prefect's own for processes. Not through Prefect's command, which
        would look for the kind in a registry on the network first.

        Raises: NotUp.
        """
        made = WorkPoolCreate(
            name=name,
            type=self.kind,
            base_job_template=template or ProcessWorker.get_default_base_job_template(),
            concurrency_limit=limit,
        )
        try:
            with (
                temporary_settings({PREFECT_API_URL: self.url}),
                get_client(sync_client=True) as client,
            ):
                client.create_work_pool(made, overwrite=True)
        except (HTTPError, PrefectException) as error:
            raise NotUp(f"the work pool {name} cannot be made at {self.url}: {error}") from None

    def deploy(self) -> None:
        """Makes or updates all deployments of prefect.yaml; their schedules go on as they are.

        Raises: NotUp.
        """
        with (
            temporary_settings({PREFECT_API_URL: self.url}),
            get_client(sync_client=True) as client,
        ):
            before = schedules.known(client)
            self._run("--no-prompt", "deploy", "--all")
            schedules.restore(client, before)

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

    def _start(self, name: str, module: str, *words: str) -> None:
        end = threading.Event()

        def keep() -> None:
            self._ended[name] = process.run(
                [sys.executable, "-m", module, *words],
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
        # The page would ask a server on the machine of whoever looks at it.
        every = process.environment({"PREFECT_API_URL": self.url, "PREFECT_UI_API_URL": "/api"})
        every.pop(PLACE, None)
        return every


if __name__ == "__main__":
    main()
