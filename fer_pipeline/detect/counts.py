"""What detect found, in numbers."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from fer_pipeline import manifest


def count(table: Path) -> dict[str, Any]:
    """Rows by status and by alignment, and over the rows that could be read: how many have a face
    or several, and the rate. Only statuses and alignments that occur.

    Raises: MissingData, BadManifest.
    """
    columns = manifest.read(table, manifest.FACES, ["status", "alignment", "faces"])
    faces = np.array([number for number in columns["faces"].to_pylist() if number is not None])
    aligned = [how for how in columns["alignment"].to_pylist() if how is not None]
    return {
        "rows": columns.num_rows,
        "read": len(faces),
        "found": len(aligned),
        "detection_rate": round(len(aligned) / len(faces), 6) if len(faces) else 0.0,
        "several_faces": int((faces > 1).sum()),
        "status": dict(sorted(Counter(columns["status"].to_pylist()).items())),
        "alignment": dict(sorted(Counter(aligned).items())),
    }


def lines(counts: dict[str, Any]) -> str:
    """The counts as a small table."""
    rows = {name: value for name, value in counts.items() if not isinstance(value, dict)}
    for group in ("status", "alignment"):
        rows.update({f"{group} {name}": value for name, value in counts[group].items()})
    rate = rows.pop("detection_rate")
    text = [f"  {name:<24}{value:>9,}" for name, value in rows.items()]
    return "\n".join([*text, f"  {'detection rate':<24}{rate:>9.1%}"])
