"""The sample's whole study from nothing: its stages one after another, and two at once.

The last commit is cloned twice into empty folders, with no data and no cache; `dvc repro` runs in
one, `python -m flows.repro --jobs 2` in the other. Takes twenty minutes on two cores. Run as
`python -m benchmarks.side_by_side`; `--jobs 4` for a larger machine.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from flows import HOME, process

BAR: Final = 480.0
"""Seconds for the whole study on two cores."""


def main() -> None:
    """Prints seconds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="stages at once")
    jobs = parser.parse_args().jobs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        single = seconds(folder / "one", "dvc", "repro")
        print(f"one stage after another: {single:.0f} s", flush=True)
        side = seconds(folder / "many", sys.executable, "-m", "flows.repro", "--jobs", str(jobs))
    verdict = "met" if side <= BAR else "MISSED"
    print(f"{jobs} at once: {side:.0f} s (bar {BAR:.0f}: {verdict}); {single / side:.2f} x as fast")


def seconds(root: Path, *command: str) -> float:
    """How long the command takes in a new clone, which it must end well."""
    subprocess.run(["git", "clone", "-q", str(HOME), str(root)], check=True)
    environment = process.environment({"PYTHONPATH": str(root)})
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
