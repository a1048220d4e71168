"""Base and variants trained alike, and their answers on the validation rows."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fer_pipeline import checkpoints, dimensions, manifest, memory, registry
from fer_pipeline.ablate import unaligned
from fer_pipeline.ablate.variants import Variant
from fer_pipeline.train import hardware, pixels, repeats, rows, validation
from fer_pipeline.train.feed import Feed
from fer_pipeline.train.part import Part


@dataclass(frozen=True)
class Answers:
    """What one repeat of a variant said about its validation rows.

    ids     of the rows; persons: whom they show, the id itself where that is not known
    right   (n,) bool
    train   rows it was trained on
    """

    ids: tuple[str, ...]
    persons: tuple[str, ...]
    right: np.ndarray
    train: int


def run(
    job: repeats.Job, found: Sequence[Variant], count: int, raw: Path
) -> dict[str, list[Answers]]:
    """Variant -> the answers of its repeats; what is trained already is not trained again.

    Validation rows alone: a test set is no place to choose between variants.

    Raises: MissingData, BadManifest, BadParams, Diverged.
    """
    memory.keep_freed()
    answers = {}
    for variant in found:
        if variant.settings is None:
            print(f"{variant.name}: does not apply ({variant.why})", file=sys.stderr, flush=True)
            continue
        asked = replace(job, settings=variant.settings)
        if not variant.aligned:
            size = _side(job.faces)
            asked = replace(asked, faces=unaligned.table(job.faces, raw, size, job.runs))
        answers[variant.name] = [_answers(asked, repeat) for repeat in range(count)]
        shares = [f"{part.right.mean():.4f}" for part in answers[variant.name]]
        print(
            f"{variant.name}: validation accuracy {', '.join(shares)}", file=sys.stderr, flush=True
        )
    return answers


def _side(faces: Path) -> int:
    """Side of the table's crops, pixels."""
    from fer_pipeline.images import decode_png

    for batch in manifest.batches(faces, manifest.FACES, ["crop"]):
        for crop in batch.column("crop"):
            if crop.is_valid:
                return int(decode_png(crop.as_py()).shape[0])
    return 0


def _answers(job: repeats.Job, repeat: int) -> Answers:
    import torch

    finished = repeats.train(job, repeat)
    place = hardware.choose(job.settings)
    model, card = checkpoints.load(finished.checkpoint, place.device)
    protocol = registry.load("datasets", job.source).PROTOCOL
    clips = card.input.frames > 1
    examples = rows.read(job.faces, job.leaks, protocol, repeat, card.classes, clips=clips)
    content = pixels.content(job.faces, examples, card.input)
    array = pixels.decoded(job.runs / content, job.faces, examples, card.input)
    part = _validation(examples, array, clips, card.input)
    feed = Feed(card.input, replace(place, augments=False), array)

    def forward(chunk: np.ndarray) -> torch.Tensor:
        rest = [] if part.lengths is None else [part.lengths[chunk], part.peaks[chunk]]  # type: ignore[index]
        inputs = [torch.from_numpy(one).to(place.device) for one in rest]
        return model(feed.values(part, chunk), *inputs)  # type: ignore[no-any-return]

    with torch.inference_mode():
        logits, _ = dimensions.split(validation.outputs(forward, len(part.ids)), card.dimensions)
    return Answers(
        part.ids,
        _persons(job.faces, examples, part.places),
        logits.argmax(dim=1).numpy() == part.truth,
        finished.counts["train_rows"],
    )


def _validation(examples: rows.Examples, array: np.ndarray, clips: bool, contract: object) -> Part:
    places = np.flatnonzero((examples.part == "val") & (examples.truth >= 0))
    return Part(
        ids=tuple(examples.ids[place] for place in places),
        pixels=array,
        places=places,
        lengths=pixels.lengths(examples, contract)[places] if clips else None,  # type: ignore[arg-type]
        peaks=pixels.peaks(examples, contract)[places] if clips else None,  # type: ignore[arg-type]
        targets=np.zeros((len(places), 1), np.float32),
        truth=examples.truth[places],
        ratings=examples.ratings[places],
    )


def _persons(faces: Path, examples: rows.Examples, places: np.ndarray) -> tuple[str, ...]:
    subjects = manifest.read(faces, manifest.FACES, ["subject"])["subject"].to_pylist()
    return tuple(
        f"subject {subject}"
        if (subject := subjects[examples.frames[place][0]]) is not None
        else f"item {examples.ids[place]}"
        for place in places
    )
