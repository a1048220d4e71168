"""Writes a raw dataset as one SAMPLES table."""

from pathlib import Path
from types import ModuleType

from tqdm import tqdm

from fer_pipeline import manifest, registry
from fer_pipeline.errors import BadRaw, MissingData
from fer_pipeline.ingest.params import IngestParams
from fer_pipeline.ingest.rows import rows
from fer_pipeline.ingest.summary import Summary


def ingest(dataset: str, raw: Path, out: Path, params: IngestParams) -> tuple[Summary, str]:
    """Reads `raw` in the layout that is found there, writes `out`; what was counted, and how it
    compares with the official counts.

    Raises: MissingData, BadRaw, UnknownName.
    """
    module = registry.load("datasets", dataset)
    summary = Summary(dataset, module.recognise(raw))
    if hasattr(module, "left_out"):
        summary.left_out = [path.relative_to(raw).as_posix() for path in module.left_out(raw)]
    with manifest.writing(out, manifest.SAMPLES, params.row_group) as writer:
        found = rows(dataset, module.samples(raw), raw)
        for row in tqdm(found, desc=f"ingest {dataset}", unit=" rows", mininterval=0.5):
            summary.add(row)
            writer.add(row)
        if not summary.rows:
            raise MissingData(
                f"{dataset}: the layout {summary.layout} lies in {raw}, but without a single row "
                f"(a header alone, or empty folders); {module.OBTAIN}"
            )
        official = compare(summary, module)
        if params.official_counts == "require" and official not in ("complete", "no counts"):
            raise BadRaw(
                f"{dataset} in {raw} is not the official set: {official}; {module.OBTAIN}, "
                "or set ingest.official_counts to report"
            )
    return summary, official


def compare(summary: Summary, module: ModuleType) -> str:
    """How the rows compare with the official counts of their layout, see `Summary.official`.

    Of several releases in one layout, the one that is complete, else the nearest in size.
    """
    by_layout = getattr(module, "LAYOUT_COUNTS", {})
    classes, of_any = getattr(module, "LAYOUT_CLASSES", {}), getattr(module, "CLASS_COUNTS", {})
    known = [
        name
        for name in by_layout
        if name == summary.layout or name.startswith(f"{summary.layout}/")
    ]
    if not known:
        return summary.official(module.PROTOCOL.counts, of_any)
    known.sort(key=lambda name: abs(summary.rows - sum(by_layout[name].values())))
    found = [summary.official(by_layout[name], classes.get(name, of_any)) for name in known]
    return "complete" if "complete" in found else found[0]
