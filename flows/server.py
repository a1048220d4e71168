"""A Prefect server for the time of one run, where the settings name none.

Prefect starts one by itself, but only once all of Prefect's server is imported here, too; this one
comes up beside everything else that a run begins with.
"""

import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from fer_pipeline.errors import PipelineError
from flows import HOME, process

URL: Final = "PREFECT_API_URL"

STARTS_WITHIN: Final = 120.0
"""Seconds a server has to answer."""

_EPHEMERAL: Final = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}
"""What makes a server one for a single run. Source: prefect 3.8, SubprocessASGIServer."""


class NotUp(PipelineError):
    """A server, or what belongs to one, did not start."""


class Temporary:
    """A server on a free port of 127.0.0.1; ends when told, or with its starter."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/api"
        self._process = subprocess.Popen(
            process.minded([sys.executable, "-m", "flows.serving", str(port)]),
            cwd=HOME,
            env=process.environment(_EPHEMERAL),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        """Returns once it answers.

        Raises: NotUp.
        """
        deadline = time.monotonic() + STARTS_WITHIN
        while not answers(self.url):
            if (status := self._process.poll()) is not None:
                raise NotUp(f"the temporary Prefect server ended with status {status}")
            if time.monotonic() > deadline:
                raise NotUp(
                    f"the temporary Prefect server did not answer within {STARTS_WITHIN:.0f} s; "
                    "set PREFECT_API_URL to a running one"
                )
            time.sleep(0.05)

    def end(self) -> None:
        """Ends it, if it still runs."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def answers(url: str) -> bool:
    """Whether a Prefect server is at this API URL."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def named() -> bool:
    """Whether a server is named: by the environment, the folder's prefect.toml, or the profile.

    As Prefect reads them, but without importing it, which takes longer than the rest of a start.
    """
    if os.environ.get(URL):
        return True
    if _toml(Path("prefect.toml")).get("api", {}).get("url"):
        return True
    home = Path(os.environ.get("PREFECT_HOME", Path.home() / ".prefect"))
    profiles = _toml(Path(os.environ.get("PREFECT_PROFILES_PATH", home / "profiles.toml")))
    active = os.environ.get("PREFECT_PROFILE", profiles.get("active", ""))
    return bool(profiles.get("profiles", {}).get(active, {}).get(URL))


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
