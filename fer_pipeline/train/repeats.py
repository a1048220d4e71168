"""The repeats of one training: each made once, kept by its digest, resumed after a kill."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from fer_pipeline import architectures, checkpoints, memory, registry, seeds
from fer_pipeline.images import Input
from fer_pipeline.outputs import atomic, digest, write_json
from fer_pipeline.train import hardware, losses, parallel, pixels, rows, starts
from fer_pipeline.train.engine import Training, best_model
from fer_pipeline.train.params import TrainParams
from fer_pipeline.train.part import Part

VOCABULARY: Final = (
    "architectures",
    "checkpoints",
    "dimensions",
    "emotions",
    "images",
    "manifest",
    "metrics",
    "protocol",
    "seeds",
    "votes",
)
"""Modules whose code may change a result, besides this room and the model's file."""

LIBRARIES: Final = ("albucore", "albumentations", "numpy", "opencv-python", "timm", "torch")
"""Packages whose version may."""


@dataclass(frozen=True)
class Job:
    """What to train on what: names, tables, and the folder that keeps finished repeats.

    name: of the run in tables, where it is not the model's; start: folder of checkpoints, one per
    repeat, whose weights the repeats start from.
    """

    model: str
    source: str
    faces: Path
    leaks: Path
    runs: Path
    settings: TrainParams
    name: str = ""
    start: Path | None = None


@dataclass(frozen=True)
class Finished:
    """A finished repeat: its checkpoint folder, its curves and its counts."""

    checkpoint: Path
    history: list[dict[str, float]]
    counts: dict[str, int]
    best: int


class Ended(Exception):
    """Raised by whoever watches a training to end it for good."""


Watch = Callable[[list[dict[str, float]]], None]
"""Is told the history after each epoch, and once when a training resumes or is already done."""


def train(
    job: Job, repeat: int, watch: Watch | None = None, ranks: parallel.Ranks = parallel.ALONE
) -> Finished:
    """The repeat, trained now unless it is already kept; all `ranks` see the same folders.

    Raises: Ended, when `watch` does; MissingData, BadManifest, BadParams, UnknownName, Diverged.
    """
    dataset = registry.load("datasets", job.source)
    settings = job.settings
    contract = architectures.contract(job.model, settings.size)
    clips = contract.frames > 1
    classes = rows.classes_of(dataset.EMOTION_OF, settings.classes)
    soft = settings.labels != "majority"
    examples = rows.read(
        job.faces, job.leaks, dataset.PROTOCOL, repeat, classes, clips=clips, soft=soft
    )
    content = pixels.content(job.faces, examples, contract)
    place = hardware.choose(settings)
    text, weights = code(job.model), starts.weights(job.start, repeat, settings)
    key = digest(
        [text, job.model, job.source, repeat, classes, asdict(contract), content],
        [settings.model_dump(), asdict(place), _versions(), *([ranks.world] * (ranks.world > 1))],
        *([weights] if weights else []),
        _labels(examples),
    )
    # The first's: threads, and what `auto` means, may be others on another machine.
    folder = job.runs / ranks.agreed(key)
    if not ranks.agreed((folder / "done" / checkpoints.CARD).is_file()):
        if ranks.first:
            pixels.decoded(job.runs / content, job.faces, examples, contract)
        ranks.agreed(None)
        array = pixels.decoded(job.runs / content, job.faces, examples, contract)
        card = checkpoints.Card(
            name=job.name or job.model,
            model=job.model,
            source=job.source,
            repeat=repeat,
            classes=classes,
            input=contract,
            params=settings.model_dump(),
            data=digest(content, _labels(examples)),
            code=text,
            epoch=0,
            score=0.0,
            start=starts.card(job.start, repeat, job.model),
            dimensions=tuple(settings.dimensions),
        )
        parts = _parts(examples, array, contract, card, settings)
        unused = len(examples.ids) - sum(len(part.ids) for part in parts)
        dropped = examples.dropped + unused
        _fit(folder, parts, card, settings, weights, place, dropped, watch, ranks)
        ranks.agreed(None)
    kept = json.loads((folder / "curves.json").read_text(encoding="utf-8"))
    if watch is not None:
        watch(kept["history"])
    return Finished(folder / "done", kept["history"], kept["counts"], kept["best"])


def publish(out: Path, finished: list[Finished]) -> None:
    """Copies the checkpoints to `out`/<repeat>/; what was there before is replaced."""
    with atomic(out) as part:
        for repeat, kept in enumerate(finished):
            shutil.copytree(kept.checkpoint, part / str(repeat))


def _fit(
    folder: Path,
    parts: tuple[Part, Part],
    card: checkpoints.Card,
    settings: TrainParams,
    weights: Path | None,
    place: hardware.Hardware,
    dropped: int,
    watch: Watch | None,
    ranks: parallel.Ranks,
) -> None:
    seed = settings.seed + card.repeat
    seeds.fix(seed)
    memory.keep_freed()
    model = architectures.build(
        card.model,
        len(card.classes) + len(card.dimensions),
        card.input.size,
        settings.options,
        str(weights) if weights else settings.pretrained,
    )
    head = registry.load("models", card.model).head(model)
    training = Training(model, head, card.input, *parts, settings, place, seed, ranks)
    title = f"{card.name} on {card.source}, repeat {card.repeat}"
    with tqdm(
        total=settings.epochs * training.steps,
        desc=title,
        unit="step",
        mininterval=0.5,
        disable=None if ranks.first else True,
    ) as bar:
        progress = _Progress(bar, settings, training.steps, watch, ranks.first)
        try:
            best = training.run(folder / "last.safetensors", progress)
        except Ended:
            (folder / "last.safetensors").unlink()
            raise
    if not ranks.first:
        return
    score = best.history[best.best - 1][f"val_{settings.score}"]
    final = checkpoints.Card(**{**card.__dict__, "epoch": best.best, "score": score})
    counts = {
        "train_rows": len(parts[0].ids),
        "val_rows": len(parts[1].ids),
        "dropped_rows": dropped,
        "parameters": sum(value.numel() for value in model.parameters()),
    }
    write_json(folder / "time.json", {"seconds": best.seconds, "epochs": len(best.history)})
    curves = {"history": best.history, "counts": counts, "best": best.best}
    write_json(folder / "curves.json", curves)
    checkpoints.save(folder / "done", best_model(training.model, best), final)
    (folder / "last.safetensors").unlink(missing_ok=True)


class _Progress:
    """One bar over all steps; a line for each epoch as it ends."""

    def __init__(
        self,
        bar: Any,
        settings: TrainParams,
        steps: int,
        watch: Watch | None = None,
        speaks: bool = True,
    ) -> None:
        self._speaks = speaks
        self._bar, self._settings, self._steps, self._watch = bar, settings, steps, watch

    def step(self, epoch: int, loss: float) -> None:
        """Moves the bar."""
        self._bar.set_postfix(epoch=epoch, loss=f"{loss:.3f}", refresh=False)
        self._bar.update()

    def epoch(self, history: list[dict[str, float]]) -> None:
        """Prints the last epoch; after a resume the bar jumps to where it stopped."""
        if not self._speaks:
            return
        row = history[-1]
        line = (
            f"epoch {len(history):>3}/{self._settings.epochs}  "
            f"loss {row['train_loss']:.4f}  val loss {row['val_loss']:.4f}  "
            f"val accuracy {row['val_accuracy']:.4f}  macro F1 {row['val_macro_f1']:.4f}  "
            f"lr {row['learning_rate']:.2e}"
        )
        self._bar.write(line, file=sys.stderr)
        self._bar.n = len(history) * self._steps
        self._bar.refresh()
        if self._watch is not None:
            self._watch(history)


def _parts(
    examples: rows.Examples,
    array: np.ndarray,
    contract: Input,
    card: checkpoints.Card,
    settings: TrainParams,
) -> tuple[Part, Part]:
    classes, ratings = card.classes, rows.rated(examples, card.dimensions, card.source)
    targets = losses.one_hot(examples.truth, len(classes))
    training = examples.part == "train"
    if settings.labels != "majority":
        shares = losses.voted(examples.votes, classes, settings.labels)
        targets[training] = shares[training]
    clips = contract.frames > 1
    lengths = pixels.lengths(examples, contract) if clips else None
    peaks = pixels.peaks(examples, contract) if clips else None

    def part(chosen: np.ndarray) -> Part:
        places = np.flatnonzero(chosen & (targets.sum(axis=1) > 0))
        return Part(
            ids=tuple(examples.ids[place] for place in places),
            pixels=array,
            places=places,
            lengths=None if lengths is None else lengths[places],
            peaks=None if peaks is None else peaks[places],
            targets=targets[places],
            truth=examples.truth[places],
            ratings=ratings[places],
        )

    return part(training), part(~training)


def _labels(examples: rows.Examples) -> list[Any]:
    counts = np.nan_to_num(examples.votes, nan=-1.0)
    ratings = np.nan_to_num(examples.ratings, nan=-9.0)
    return [examples.part.tolist(), examples.truth.tolist(), counts.tolist(), ratings.tolist()]


def code(model: str) -> str:
    """Digest of the code that decides a result: equal code, equal digest, whatever the commit."""
    room = Path(__file__).parent
    files = sorted(room.glob("*.py")) + [room.parent / f"{name}.py" for name in VOCABULARY]
    return digest(*files, *architectures.sources(model))


def _versions() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}
