"""What the Prefect flow costs over plain `dvc repro`, and what its parallel slots gain.

The default graph with every command replaced by one that only writes its outputs: what is left is
DVC's and Prefect's own time. Bars: 15 s of overhead, 15 s for a flow that finds nothing to do, and
1.7 times the speed of `dvc repro` with two slots on stages that do not need each other. Run as
`python -m benchmarks.flow_overhead`.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from flows import HOME, graph, process

OVERHEAD, NOTHING, GAIN = 15.0, 15.0, 1.7
INDEPENDENT, SECONDS = 12, 15.0
"""Stages as long as those of the default graph; on shorter ones the server's start weighs more."""


def main() -> None:
    """Prints seconds, ratios and verdicts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stages = emptied()
        plain = timed(repository(folder / "plain", stages), "dvc", "repro")
        root = repository(folder / "flow", stages)
        flow = timed(root, *study(1))
        nothing = timed(root, *study(1))
        print(f"default graph, {len(stages)} stages that only write: dvc repro {plain:.1f} s,")
        print(
            f"  flow {flow:.1f} s; overhead {flow - plain:.1f} s{verdict(flow - plain, OVERHEAD)}"
        )
        print(f"  flow with nothing to do {nothing:.1f} s{verdict(nothing, NOTHING)}")
        waiting = sleepers()
        plain = timed(repository(folder / "one", waiting), "dvc", "repro")
        flow = timed(repository(folder / "two", waiting), *study(2))
        print(
            f"{INDEPENDENT} stages of {SECONDS:.0f} s: dvc repro {plain:.1f} s, flow with two slots"
        )
        print(f"  {flow:.1f} s; {plain / flow:.2f} x as fast{verdict(-plain / flow, -GAIN)}")


def emptied() -> dict[str, Any]:
    """The default graph's stages, each writing its name into its outputs."""
    plan = graph.stages(HOME)
    return {
        name.replace("@", "_"): {
            "cmd": " && ".join(written(name, out) for out in stage.outs),
            "deps": [plan[need].outs[0] for need in stage.needs],
            "outs": list(stage.outs),
        }
        for name, stage in plan.items()
    }


def written(name: str, out: str) -> str:
    """A command that writes an output: an empty object where JSON is expected."""
    text = "{}" if out.endswith(".json") else name
    return f"mkdir -p {Path(out).parent} && echo '{text}' > {out}"


def sleepers() -> dict[str, Any]:
    """Stages that do not need each other and mostly wait."""
    return {
        f"s{number}": {"cmd": f"sleep {SECONDS} && echo 1 > {number}", "outs": [str(number)]}
        for number in range(INDEPENDENT)
    }


def repository(root: Path, stages: dict[str, Any]) -> Path:
    """A git and DVC repository of these stages, nothing run."""
    root.mkdir()
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")
    for words in (("git", "init", "-q"), ("dvc", "init", "-q")):
        run(root, *words)
    # As here: nothing is sent home, which would cost both sides half a second a command.
    shutil.copyfile(HOME / ".dvc" / "config", root / ".dvc" / "config")
    run(root, "git", "add", "-A")
    run(
        root, "git", "-c", "user.name=b", "-c", "user.email=b@example.invalid", "commit", "-qm", "b"
    )
    return root


def study(slots: int) -> list[str]:
    """The flow on its own, with a server for this run."""
    return [sys.executable, "-m", "flows", "--root", "{root}", "--max-parallel", str(slots)]


def timed(root: Path, *command: str) -> float:
    """Seconds of the command, which must succeed; {root} stands for the repository."""
    start = time.perf_counter()
    run(HOME if "{root}" in command else root, *(word.format(root=root) for word in command))
    return time.perf_counter() - start


def run(folder: Path, *command: str) -> None:
    """Runs a command; what it says is shown when it fails."""
    done = process.call(folder, *command)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def verdict(value: float, bar: float) -> str:
    """Whether a value that must not be above its bar is met."""
    return f" (bar {abs(bar):g}: {'met' if value <= bar else 'MISSED'})"


if __name__ == "__main__":
    main()
