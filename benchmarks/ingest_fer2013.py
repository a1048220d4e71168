"""Ingest of the real fer2013.csv against its bars and pandas' usual idiom for parsing alone.

Each side runs as a process of its own on one core, imports included; wall time and peak memory are
those of the whole process. `python benchmarks/ingest_fer2013.py [--raw DIR]`, where DIR holds
fer2013.csv; without it the file is rebuilt from ../shared/data into a temporary folder.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS, MEGABYTES, RATIO = 5.0, 800.0, 0.5

PANDAS = """
import sys
import numpy as np
import pandas as pd
table = pd.read_csv(sys.argv[1])
pixels = table["pixels"].apply(lambda text: np.array(text.split(), dtype=np.uint8))
faces = np.stack(pixels.to_list())
assert faces.shape == (len(table), 2304), faces.shape
"""


def measure(command: list[str]) -> tuple[float, float, float]:
    """(wall seconds, processor seconds, peak megabytes) of a command pinned to one core; exits
    when it fails.
    """
    core = {min(os.sched_getaffinity(0))}
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: os.sched_setaffinity(0, core),
    )
    errors = process.stderr.read().decode() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command[:4])} failed:\n{errors}")
    wall = time.perf_counter() - began
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def real_csv(folder: Path) -> Path:
    """fer2013.csv rebuilt from the real data beside the checkout; exits where there is none."""
    data = Path(os.environ.get("FER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    script = data / "native_fer2013.py"
    if not script.is_file():
        sys.exit(f"no real FER2013 at {data}: give a folder with fer2013.csv by --raw")
    subprocess.run([sys.executable, str(script), "--write", str(folder)], check=True)
    return folder / "fer2013.csv"


def run(csv: Path, scratch: Path, rounds: int) -> bool:
    """Prints the best of each side and the verdicts; whether every bar is met."""
    config = scratch / "params.yaml"
    config.write_text("ingest: {official_counts: require}\n")
    ingest = [sys.executable, "-m", "fer_pipeline.ingest", "--dataset", "fer2013"]
    ingest += ["--raw", str(csv.parent), "--params", str(config)]
    ingest += [
        "--out",
        str(scratch / "fer2013.parquet"),
        "--metrics",
        str(scratch / "fer2013.json"),
    ]
    idiom = [sys.executable, "-c", PANDAS, str(csv)]
    csv.read_bytes()  # both sides find the file in the page cache
    ours = [measure(ingest) for _ in range(rounds)]
    theirs = [measure(idiom) for _ in range(rounds)]
    (seconds, cpu, _), (other, other_cpu, other_mb) = min(ours), min(theirs)
    megabytes = max(peak for *_, peak in ours)
    print(f"{'':34}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}")
    print(f"{'ingest, Parquet written':34}{seconds:9.2f}{cpu:9.2f}{megabytes:9.0f}")
    print(f"{'pandas read_csv + str.split':34}{other:9.2f}{other_cpu:9.2f}{other_mb:9.0f}")
    if seconds > 1.3 * cpu or other > 1.3 * other_cpu:
        print("other processes shared the core: wall times say little, run it again alone")
    bars = (
        (f"ingest <= {SECONDS:g} s", seconds, seconds <= SECONDS),
        (f"ingest <= {MEGABYTES:g} MB", megabytes, megabytes <= MEGABYTES),
        (f"ingest / pandas < {RATIO:g}", seconds / other, seconds / other < RATIO),
    )
    for bar, value, met in bars:
        print(f"{bar:34}{value:9.2f}  {'met' if met else 'MISSED'}")
    return all(met for _, _, met in bars)


def main() -> None:
    """Reads the command line; exit status 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, help="folder with the real fer2013.csv")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many runs counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if options.raw:
            csv = options.raw.resolve() / "fer2013.csv"
            if not csv.is_file():
                sys.exit(f"no {csv}")
        else:
            csv = real_csv(scratch)
        sys.exit(0 if run(csv, scratch, options.rounds) else 1)


if __name__ == "__main__":
    main()
