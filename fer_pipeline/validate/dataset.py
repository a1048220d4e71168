"""Validation of one set: its two tables, its repeats, and what training must not use."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fer_pipeline import manifest, registry
from fer_pipeline.emotions import in_order
from fer_pipeline.protocol import Protocol
from fer_pipeline.validate import leaks, tables
from fer_pipeline.validate.params import ValidateParams
from fer_pipeline.validate.running import Outcome, context, outcomes, run

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationSuiteValidationResult

BAD: Final = (manifest.UNREADABLE, manifest.UNCERTAIN, manifest.UNKNOWN_LABEL)


@dataclass(frozen=True)
class Report:
    """What validation found.

    results   of GX, one per suite that could be run
    outcomes  the same as plain values
    facts     name -> count or share, for the metrics file
    leaks     rows of manifest.LEAKS, or None where a hard failure leaves nothing to compute
    """

    dataset: str
    results: "list[ExpectationSuiteValidationResult]"
    outcomes: list[Outcome]
    facts: dict[str, int | float]
    leaks: "pd.DataFrame | None"

    def failed(self, severity: str) -> list[Outcome]:
        """Expectations of the severity that were not met."""
        return [one for one in self.outcomes if not one.passed and one.severity == severity]


def validate(dataset: str, samples: Path, faces: Path, params: ValidateParams) -> Report:
    """Runs all suites on the set's tables.

    Raises: UnknownName, MissingData, BadManifest.
    """
    import pandas as pd

    module = registry.load("datasets", dataset)
    protocol: Protocol = module.PROTOCOL
    classes = in_order({emotion for emotion in module.EMOTION_OF.values() if emotion})
    fields = pd.concat(
        [tables.fields(samples, manifest.SAMPLES), tables.fields(faces, manifest.FACES)],
        ignore_index=True,
    )
    # GX takes three seconds to import: only once it is known that there is something to look at.
    from fer_pipeline.validate import suites

    made = context()
    results = [run(made, "schema", fields, suites.schema(params))]
    if not results[0].success:
        return _report(dataset, results, {}, None)
    sample_rows = tables.samples(samples, faces, protocol)
    splits = suites.splits_of(protocol, sample_rows["split"].dropna().unique())
    asked = suites.samples(dataset, protocol, classes, splits, params)
    results.append(run(made, "samples", sample_rows, asked))
    facts = sample_facts(sample_rows)
    if sample_rows["fault"].notna().any() or sample_rows.empty:
        return _report(dataset, results, facts, None)
    face_rows, found, table = look(faces, protocol, params)
    results.append(run(made, "faces", face_rows, suites.faces(protocol, len(sample_rows), params)))
    facts |= face_facts(face_rows, found)
    return _report(dataset, results, facts, table)


def look(
    path: Path, protocol: Protocol, params: ValidateParams
) -> "tuple[pd.DataFrame, leaks.Near, pd.DataFrame]":
    """The faces with flags constant, near_within and near_across; the near pairs; LEAKS rows."""
    import pandas as pd

    rows = tables.faces(path)
    hashes, state = tables.hashes(path, params.hash_side)
    rows["constant"], rows["hashed"] = state == tables.CONSTANT, state == tables.HASHED
    home = leaks.homes(rows, protocol)
    found = leaks.near(rows, hashes, home, params.near_distance)
    across = found.across()
    rows["near_within"], rows["near_across"] = found.rows(~across), found.rows(across)
    dropping = params.leaks == "drop_from_train"
    rows["drop"] = leaks.drops(rows, found, protocol) if dropping else None
    table = pd.DataFrame(
        {
            "id": rows["id"],
            "pixel_hash": rows["pixel_hash"],
            "perceptual_hash": [
                value.tobytes() if hashed else None
                for value, hashed in zip(hashes, rows["hashed"], strict=True)
            ],
            "drop": rows["drop"],
        }
    )
    return rows, found, table


def sample_facts(rows: "pd.DataFrame") -> dict[str, int | float]:
    """Counts over the samples: images are distinct pictures, by their pixels."""
    read = rows[rows["pixel_hash"].notna()]
    shown = {part: set(read["pixel_hash"][read["split"] == part]) for part in manifest.SPLITS}
    facts: dict[str, int | float] = {
        "rows": len(rows),
        "usable_rows": int(rows["usable"].sum()),
        "subjects": rows["subject"].nunique(),
        "distinct_images": read["pixel_hash"].nunique(),
        "repeated_rows": int(rows["repeats"].sum()),
        "conflicting_labels": _several(read, "emotion"),
        "images_under_several_subjects": _several(read, "subject"),
        "images_in_several_splits": _several(read, "split"),
    }
    for a, b in (("train", "val"), ("train", "test"), ("val", "test")):
        facts[f"images_in_{a}_and_{b}"] = len(shown[a] & shown[b])
    return facts | {f"{status}_rows": int((rows["status"] == status).sum()) for status in BAD}


def _several(rows: "pd.DataFrame", column: str) -> int:
    return int((rows.groupby("pixel_hash", sort=False)[column].nunique() > 1).sum())


def face_facts(rows: "pd.DataFrame", found: leaks.Near) -> dict[str, int | float]:
    """Counts over the faces; near pairs are pairs of distinct pictures."""
    readable = int(rows["found"].notna().sum())
    faces = int(rows["found"].eq(True).sum())
    across = found.across()
    dropped = rows["drop"].notna()
    return {
        "faces": faces,
        "detection_rate": round(faces / readable, 4) if readable else 0.0,
        "constant_images": int(rows["constant"].sum()),
        "near_pairs_within": int((~across).sum()),
        "near_pairs_across": int(across.sum()),
        "dropped_rows": int(dropped.sum()),
    }


def _report(
    dataset: str,
    results: "list[ExpectationSuiteValidationResult]",
    facts: dict[str, int | float],
    table: "pd.DataFrame | None",
) -> Report:
    found = [one for result in results for one in outcomes(result)]
    report = Report(dataset, results, found, facts, table)
    report.facts.update(
        expectations=len(found),
        failed_hard=len(report.failed("hard")),
        failed_soft=len(report.failed("soft")),
    )
    return report
