"""How long the sample stage takes for all seven sets, one process after the other.

Bar: 60 seconds on two cores. Run it with nothing else on the machine.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fer_pipeline.sample.looks import LOOKS

BAR = 60.0
PARAMS = "samples: {}\nsample: {workers: 2}\n"


def main() -> None:
    """Makes every sample in a temporary folder and prints seconds and faces a second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "params.yaml").write_text(PARAMS, encoding="utf-8")
        total = sum(_timed(folder, dataset) for dataset in LOOKS)
    verdict = "met" if total <= BAR else "MISSED"
    busy = os.getloadavg()[0]
    print(f"{'all':<10} {total:6.1f} s   bar {BAR:.0f} s {verdict}, load average {busy:.1f}")


def _timed(folder: Path, dataset: str) -> float:
    out = folder / dataset
    command = [sys.executable, "-m", "fer_pipeline.sample", "--dataset", dataset]
    command += ["--out", str(out), "--metrics", f"{out}.json", "--sheet", f"{out}.png"]
    command += ["--params", str(folder / "params.yaml")]
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    print(f"{dataset:<10} {seconds:6.1f} s   {done.stdout.splitlines()[0]}", flush=True)
    return seconds


if __name__ == "__main__":
    main()
