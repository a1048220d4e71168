"""Writes a raw dataset as one SAMPLES table."""

from pathlib import Path

from tqdm import tqdm

from fer_pipeline import manifest, registry
from fer_pipeline.errors import BadRaw
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
    with manifest.writing(out, manifest.SAMPLES, params.row_group) as writer:
        found = rows(dataset, module.samples(raw), raw)
        for row in tqdm(found, desc=f"ingest {dataset}", unit=" rows", mininterval=0.5):
            summary.add(row)
            writer.add(row)
        of_layout = getattr(module, "LAYOUT_COUNTS", {})
        counts = of_layout.get(summary.layout, module.PROTOCOL.counts)
        official = summary.official(counts, getattr(module, "CLASS_COUNTS", {}))
        if params.official_counts == "require" and official not in ("complete", "no counts"):
            raise BadRaw(
                f"{dataset} in {raw} is not the official set: {official}; {module.OBTAIN}, "
                "or set ingest.official_counts to report"
            )
    return summary, official
