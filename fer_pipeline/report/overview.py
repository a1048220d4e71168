"""What the page says about the datasets: counts, faces, validation, protocols, regions of heat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer_pipeline import registry
from fer_pipeline.emotions import in_order
from fer_pipeline.protocol import Protocol
from fer_pipeline.report.study import Dataset, Study
from fer_pipeline.report.tables import repeats

SPLIT_NAMES = ("train", "val", "test", "all")


@dataclass(frozen=True, slots=True)
class Split:
    """A row of the class table; first: of its dataset."""

    dataset: str
    split: str
    counts: Sequence[int]
    total: int
    first: bool


@dataclass(frozen=True, slots=True)
class Classes:
    """The class table: the emotions that occur, `none` for rows without one, and its rows."""

    names: Sequence[str]
    rows: Sequence[Split]


@dataclass(frozen=True, slots=True)
class Look:
    """Mean share of heat per region; the row of even shares has the model `even`."""

    source: str
    model: str
    shares: Sequence[float]
    images: str


COUNTS = (
    ("repeated rows", "repeated_rows"),
    ("images in several splits", "images_in_several_splits"),
    ("near duplicates across splits or subjects", "near_pairs_across"),
    ("images with conflicting labels", "conflicting_labels"),
    ("constant images", "constant_images"),
    ("rows kept out of training", "dropped_rows"),
)
"""What a row says -> fact of validate."""


def datasets(study: Study) -> list[tuple[str, list[str]]]:
    """Rows of the table of datasets: what is told, and its text for each dataset."""
    counted = uses(study)
    columns = [
        _column(dataset) | {"test rows used, times": f"{counted[dataset.name]:,}"}
        for dataset in study.datasets
    ]
    return [(name, [column[name] for column in columns]) for name in columns[0]]


def _column(dataset: Dataset) -> dict[str, str]:
    facts = dataset.validate
    column = {
        "pictures": "generated" if dataset.origin == "sample" else "real",
        "layout found": dataset.ingest["layout"],
        "official counts": dataset.ingest["official"],
        "rows": f"{dataset.ingest['rows']:,}",
        "not usable": statuses(dataset.detect["status"]),
        "subjects": f"{facts['subjects']:,}" if facts["subjects"] else "–",
        "detector": dataset.detector,
        "faces found": f"{dataset.detect['detection_rate']:.1%}".replace("%", " %"),
        "pictures with several faces": f"{dataset.detect['several_faces']:,}",
        "expectations": verdict(facts),
    }
    return column | {name: f"{facts[key]:,}" for name, key in COUNTS}


def verdict(facts: Mapping[str, Any]) -> str:
    """How validation ended, in words."""
    if facts["failed_hard"]:
        return f"{facts['failed_hard']} of {facts['expectations']} failed hard"
    met = facts["expectations"] - facts["failed_soft"]
    warned = f", {facts['failed_soft']} warned" if facts["failed_soft"] else ""
    return f"{met} of {facts['expectations']} met{warned}"


def shared(study: Study) -> list[str]:
    """What pairs of datasets share, in words: `a and b: 12 pictures, 3 nearly`."""
    found: dict[str, list[str]] = {}
    for key, count in study.across.items():
        kind, _, pair = key.partition("_in_")
        if pair and kind in ("pictures", "near"):
            words = f"{count:,} {'pictures' if kind == 'pictures' else 'nearly equal'}"
            found.setdefault(pair.replace("_and_", " and "), []).append(words)
    return [f"{pair}: {', '.join(sorted(words))}" for pair, words in found.items()]


def classes(study: Study) -> Classes:
    """Rows per dataset, split and emotion, as ingest counted them."""
    found: set[str] = set()
    for dataset in study.datasets:
        for counts in dataset.ingest["split"].values():
            found |= set(counts) - {"rows", "none"}
    names = [*in_order(found), "none"]
    rows = []
    for dataset in study.datasets:
        splits = [name for name in SPLIT_NAMES if name in dataset.ingest["split"]]
        for split in splits:
            counts = dataset.ingest["split"][split]
            each = [counts.get(name, 0) for name in names]
            rows.append(Split(dataset.name, split, each, counts["rows"], split == splits[0]))
    return Classes(names, rows)


def protocols(study: Study) -> list[tuple[str, str, str]]:
    """Dataset, its protocol in words, and where the protocol comes from."""
    tested = {run.source: repeats(run.results[run.source]) for run in study.runs}
    table = []
    for dataset in study.datasets:
        protocol = registry.load("datasets", dataset.name).PROTOCOL
        words = in_words(protocol, dataset)
        if protocol.kind == "folds":
            words += f"; here {tested[dataset.name]}" if dataset.name in tested else ""
        table.append((dataset.name, words, protocol.source))
    return table


def uses(study: Study) -> dict[str, int]:
    """Dataset -> how many times its test rows were used, each time with other weights."""
    return {
        dataset.name: sum(count for key, count in study.uses.items() if key[2] == dataset.name)
        for dataset in study.datasets
    }


def in_words(protocol: Protocol, dataset: Dataset) -> str:
    """One sentence on how the set becomes training, validation and test rows."""
    if protocol.kind == "official":
        if "val" in dataset.ingest["split"]:
            return "official training, validation and test split"
        return "official training and test split; a tenth of training is carved for validation"
    if protocol.folds:
        return (
            f"{protocol.folds} folds by subject; repeat r tests on fold r, validates on the next "
            "and trains on the rest"
        )
    return "leave one subject out; repeat r tests on subject r, validates on the next"


def looks(study: Study, regions: Sequence[str]) -> list[Look]:
    """Shares of heat per run, sources in order, each headed by what an even map would give."""
    rows = []
    for source in dict.fromkeys(run.source for run in study.runs):
        mine = [run for run in study.runs if run.source == source]
        even = mine[0].heat["area"]
        rows.append(Look(source, "even", [even[region] for region in regions], ""))
        for run in mine:
            shares = run.heat["shares"].get("all")
            if shares:
                images = str(run.heat["images"])
                rows.append(Look(source, run.model, [shares[name] for name in regions], images))
    return rows


def statuses(counts: Mapping[str, int]) -> str:
    """Rows per status other than ok, in words."""
    parts = [
        f"{count:,} {name.replace('_', ' ')}"
        for name, count in counts.items()
        if name != "ok" and count
    ]
    return ", ".join(parts) or "none"
