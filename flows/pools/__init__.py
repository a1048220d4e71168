"""Where a work pool's runs live: as processes beside its worker, or in containers of their own.

`docker.json` and `kubernetes.json` are Prefect's base job templates; the image of both is built
from the `Dockerfile` beside them. A container sees one clone, with its data and its DVC cache, at
/srv/fer-pipeline.
"""

import importlib.util
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fer_pipeline.errors import BadParams, MissingData, nearest
from flows import HOME

KINDS: Final = ("process", "docker", "kubernetes")

ALL_GPUS: Final = {
    "docker": ("device_requests", [{"driver": "nvidia", "count": -1, "capabilities": [["gpu"]]}]),
    "kubernetes": ("gpus", 1),
}
"""The variable that gives runs a GPU, and its value in the pool `gpu`."""


def template(kind: str, gpu: bool, changes: Sequence[str] = ()) -> dict[str, Any]:
    """The base job template of a pool of containers.

    gpu: whether its runs get one; changes: other defaults of its variables, as NAME=VALUE.

    Raises: BadParams for a change that is none, or of no variable.
    """
    path = Path(__file__).with_name(f"{kind}.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    variables = found["variables"]["properties"]
    if kind == "docker":
        variables["home"]["default"] = str(HOME)
        variables["user"]["default"] = f"{os.getuid()}:{os.getgid()}"
    if gpu:
        name, value = ALL_GPUS[kind]
        variables[name]["default"] = value
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise BadParams(f"--set {change}: write NAME=VALUE")
        if name not in variables:
            known = ", ".join(sorted(variables))
            hint = nearest(name, variables)
            raise BadParams(f"--set {change}: {path.name} has no '{name}'; {hint}known: {known}")
        variables[name]["default"] = _value(change, text, variables[name].get("type", "string"))
    return found


def ready(kind: str) -> None:
    """Checks that this machine can run a worker of the kind.

    Raises: MissingData.
    """
    if kind != "process" and importlib.util.find_spec(f"prefect_{kind}") is None:
        raise MissingData(
            f"workers of type {kind} need prefect-{kind}; pip install -c constraints.txt "
            f"'.[{kind}]'"
        )


def _value(change: str, text: str, kind: str) -> Any:
    if kind == "string":
        return text
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    wanted = {"integer": int, "boolean": bool, "array": list, "object": dict}[kind]
    if not isinstance(value, wanted) or (kind == "integer" and isinstance(value, bool)):
        raise BadParams(f"--set {change}: its value must be JSON of type {kind}")
    return value
