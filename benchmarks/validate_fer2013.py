"""Validation of the real FER2013: its known repeats to the row, and the search for near duplicates
against the comparison of all pairs.

`python benchmarks/validate_fer2013.py`; the set is rebuilt from ../shared/data and goes through
ingest and detect into a temporary folder first. The two searches run in this process on one thread.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from fer_pipeline import manifest
from fer_pipeline.validate.params import ValidateParams
from fer_pipeline.validate.perceptual import near_pairs

ROOT = Path(__file__).resolve().parents[1]
KNOWN = {
    "repeated_rows": 1853,
    "images_in_several_splits": 557,
    "images_in_train_and_test": 278,
    "images_in_train_and_val": 270,
    "images_in_val_and_test": 43,
    "conflicting_labels": 57,
    "constant_images": 12,
}
RECALL, FASTER = 0.998, 3.0


def stage(name: str, folder: Path, *arguments: str) -> float:
    """Processor seconds of `python -m fer_pipeline.<name>` in `folder`; exits when it fails."""
    command = [sys.executable, "-m", f"fer_pipeline.{name}", "--dataset", "fer2013", *arguments]
    before = os.times()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command[:5])} failed:\n{done.stderr}")
    after = os.times()
    used = after.children_user + after.children_system
    return used - before.children_user - before.children_system


def prepare(folder: Path) -> None:
    """Writes samples.parquet and faces.parquet of the real set into `folder`."""
    data = Path(os.environ.get("FER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    script = data / "native_fer2013.py"
    if not script.is_file():
        sys.exit(f"no real FER2013 at {data}")
    (folder / "raw").mkdir()
    subprocess.run([sys.executable, str(script), "--write", str(folder / "raw")], check=True)
    (folder / "params.yaml").write_text(
        "ingest: {}\ndetect: {}\nvalidate: {}\n"
        "datasets: {fer2013: {origin: raw, detector: precropped}}\n"
    )
    samples = ["--raw", "raw", "--out", "samples.parquet", "--metrics", "ingest.json"]
    stage("ingest", folder, *samples)
    faces = ["--raw", "raw", "--samples", "samples.parquet", "--out", "faces.parquet"]
    stage("detect", folder, *faces, "--metrics", "detect.json", "--runs", "runs")


def all_pairs(hashes: np.ndarray, distance: int) -> np.ndarray:
    """What `near_pairs` finds, by comparing every pair in blocks."""
    words, found = np.ascontiguousarray(hashes).view(np.uint64), []
    for start in range(0, len(words), 512):
        bits = np.zeros((len(words[start : start + 512]), len(words) - start), np.uint16)
        for word in range(words.shape[1]):
            bits += np.bitwise_count(words[start : start + 512, None, word] ^ words[start:, word])
        a, b = np.nonzero(bits <= distance)
        found.append(np.stack([a[a < b], b[a < b]], axis=1) + start)
    return np.concatenate(found)


def main() -> None:
    """Prints what was found and how fast, and exits 1 when a bar is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        tables = ["--samples", "samples.parquet", "--faces", "faces.parquet"]
        outputs = ["--out", "leaks.parquet", "--metrics", "m.json", "--docs", "docs"]
        seconds = stage("validate", folder, *tables, *outputs)
        facts = json.loads((folder / "m.json").read_text())
        table = manifest.read(folder / "leaks.parquet", manifest.LEAKS).to_pandas()
    table = table.dropna(subset=["perceptual_hash"]).drop_duplicates("pixel_hash")
    hashes = np.stack([np.frombuffer(value, np.uint8) for value in table["perceptual_hash"]])
    distance = ValidateParams.model_validate({}).near_distance
    began = time.process_time()
    found = near_pairs(hashes, distance)
    quick = time.process_time() - began
    began = time.process_time()
    every = all_pairs(hashes, distance)
    slow = time.process_time() - began
    recall = len(found) / len(every)

    known = {key: facts[key] for key in KNOWN}
    print(f"{facts['rows']:,} rows, whole stage {seconds:.1f} s of processor time")
    for key, count in known.items():
        print(f"  {key:<26} {count:>6,}  known {KNOWN[key]:,}")
    print(f"near pairs among {len(hashes):,} pictures: {len(found):,} of {len(every):,} in")
    print(f"  {quick:.2f} s, all pairs {slow:.2f} s: {slow / quick:.1f} x as fast (bar {FASTER})")
    print(f"  recall {recall:.4f} (bar {RECALL})")
    good = known == KNOWN and recall >= RECALL and slow / quick >= FASTER
    print("PASS" if good else "FAIL")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
