"""Pictures that several sets share: what makes a cross-dataset number no such thing."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_pipeline import manifest
from fer_pipeline.errors import BadManifest
from fer_pipeline.validate.params import ValidateParams
from fer_pipeline.validate.perceptual import near_pairs
from fer_pipeline.validate.running import Outcome, context, outcomes, run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Shared:
    """What the sets share.

    pairs     one row per pair of sets: id, a, b, pictures (equal in pixels), rows_a, rows_b (rows
              that show one of them), near (pairs of unlike pictures with nearly equal faces)
    outcomes  of the expectations on it
    """

    pairs: "pd.DataFrame"
    outcomes: list[Outcome]

    def failed(self, severity: str) -> list[Outcome]:
        """Expectations of the severity that were not met."""
        return [one for one in self.outcomes if not one.passed and one.severity == severity]

    def facts(self) -> dict[str, int]:
        """Counts for the metrics file; pairs of sets that share nothing are left out."""
        found = {"pairs_of_sets": len(self.pairs)}
        for row in self.pairs.itertuples():
            for name in ("pictures", "near"):
                if count := int(getattr(row, name)):
                    found[f"{name}_in_{row.a}_and_{row.b}"] = count
        return found | {
            "failed_hard": len(self.failed("hard")),
            "failed_soft": len(self.failed("soft")),
        }


def compare(sets: list[str], samples: Path, leaks: Path, params: ValidateParams) -> Shared:
    """Compares all pairs of sets by the tables `<folder>/<set>.parquet`.

    Exact equality is that of the upright pictures; nearness that of the aligned faces, so between a
    set that comes cropped and one that this project aligns it finds little.

    Raises: MissingData, BadManifest.
    """
    rows = {name: _rows(name, samples, leaks) for name in sets}
    found = pairs(rows, params.near_distance)
    if found.empty:
        return Shared(found, [])
    from fer_pipeline.validate import suites

    return Shared(found, outcomes(run(context(), "across", found, suites.across(params))))


def _rows(name: str, samples: Path, leaks: Path) -> "pd.DataFrame":
    wanted = manifest.read(samples / f"{name}.parquet", manifest.SAMPLES, ["id"])
    path = leaks / f"{name}.parquet"
    table = manifest.read(path, manifest.LEAKS, ["id", "pixel_hash", "perceptual_hash"])
    if table["id"] != wanted["id"]:
        raise BadManifest(f"{path} lists other rows than the samples; run validate again")
    return table.to_pandas()


def pairs(rows: "dict[str, pd.DataFrame]", distance: int) -> "pd.DataFrame":
    """The pairs of sets, `Shared.pairs`, from the columns pixel_hash and perceptual_hash.

    Raises: BadManifest when the sets were hashed at different sizes.
    """
    import pandas as pd

    near = _near(rows, distance)
    found = []
    for a, b in combinations(rows, 2):
        of_a, of_b = rows[a]["pixel_hash"].dropna(), rows[b]["pixel_hash"].dropna()
        shared = np.intersect1d(of_a.unique(), of_b.unique())
        found.append(
            {
                "id": f"{a} and {b}",
                "a": a,
                "b": b,
                "pictures": len(shared),
                "rows_a": int(of_a.isin(shared).sum()),
                "rows_b": int(of_b.isin(shared).sum()),
                "near": near.get((a, b), 0),
            }
        )
    columns = ["id", "a", "b", "pictures", "rows_a", "rows_b", "near"]
    return pd.DataFrame(found, columns=columns)


def _near(rows: "dict[str, pd.DataFrame]", distance: int) -> dict[tuple[str, str], int]:
    """Pairs of distinct pictures of two sets whose faces are nearly equal, per pair of sets."""
    import pandas as pd

    names = list(rows)
    full = [
        table.dropna(subset=["pixel_hash", "perceptual_hash"])
        .drop_duplicates("pixel_hash")
        .assign(set=number)
        for number, table in enumerate(rows.values())
    ]
    if sum(map(len, full)) < 2:
        return {}
    table = pd.concat(full, ignore_index=True)
    if table["perceptual_hash"].map(len).nunique() > 1:
        raise BadManifest("the leak tables hold hashes of several sizes; run validate on all sets")
    hashes = np.stack([np.frombuffer(value, np.uint8) for value in table["perceptual_hash"]])
    home, pixels = table["set"].to_numpy(), table["pixel_hash"].to_numpy()
    a, b = near_pairs(hashes, distance).T
    unlike = (home[a] != home[b]) & (pixels[a] != pixels[b])
    codes, counts = np.unique(home[a[unlike]] * len(names) + home[b[unlike]], return_counts=True)
    return {
        (names[code // len(names)], names[code % len(names)]): int(count)
        for code, count in zip(codes, counts, strict=True)
    }
