"""The `train` section of params.yaml, and how a model's and a source's own lines change it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from fer_pipeline import params
from fer_pipeline.errors import BadParams


class Augment(params.Section):
    """How training pictures are varied. Validation and test pictures never are."""

    strength: float = Field(
        default=1.0, ge=0, le=2, description="multiplies all below but flip and erase_area"
    )
    flip: float = Field(default=0.5, ge=0, le=1, description="probability of a mirror image")
    rotate: float = Field(
        default=10.0, ge=0, le=180, description="largest turn to either side, degrees"
    )
    shift: float = Field(default=0.1, ge=0, le=0.5, description="largest shift, share of the side")
    zoom: float = Field(default=0.1, ge=0, lt=1, description="scale from 1 - zoom to 1 + zoom")
    brightness: float = Field(default=0.2, ge=0, le=1, description="largest change, share of 255")
    contrast: float = Field(default=0.2, ge=0, lt=1, description="largest change of the factor 1")
    erase: float = Field(default=0.25, ge=0, le=1, description="probability of an erased rectangle")
    ramp: float = Field(default=0, ge=0, le=1, description="share of epochs to full strength")
    erase_area: float = Field(
        default=0.2, gt=0, le=0.5, description="its largest share of the picture"
    )

    @model_validator(mode="after")
    def _bounded(self) -> "Augment":
        for name in ("zoom", "contrast"):
            if self.strength * getattr(self, name) >= 1:
                raise ValueError(f"strength x {name} must stay below 1")
        return self


class TrainParams(params.Section):
    """Everything about a training that may change its result."""

    classes: Literal["common7", "all8"] = Field(
        default="common7", description="emotions told apart; all8 has contempt too"
    )
    labels: Literal["majority", "probability", "multi_target"] = Field(
        default="majority", description="what is learnt where a set has raters' votes"
    )
    dimensions: list[Literal["valence", "arousal", "intensity"]] = Field(
        default_factory=list,
        description="learnt beside the classes, where the source's rows are rated",
    )
    dimension_weight: float = Field(
        default=1.0, gt=0, description="weight of their loss (1 - concordance) beside the classes'"
    )
    seed: int = Field(default=0, ge=0, description="repeat r trains with seed + r")
    pretrained: bool | str = Field(
        default=False,
        description="true: the hub's weights; or a file, timm's or a checkpoint's; of a transfer "
        "the run that it starts from",
    )
    size: int | None = Field(
        default=None, ge=16, le=512, description="side of its pictures, pixels; null: the model's"
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="the model's own, as its file's build() names them"
    )
    device: str = Field(default="auto", description="auto, cpu, cuda or cuda:N")
    precision: Literal["auto", "bf16", "fp16", "float32"] = Field(
        default="auto",
        description="of the forward pass; auto: bf16 where the hardware is made for it; fp16 needs "
        "a GPU",
    )
    compile: bool = Field(default=False, description="whether torch.compile translates the model")
    channels_last: Literal["auto", "on", "off"] = Field(
        default="auto", description="memory layout of pictures and weights"
    )
    epochs: int = Field(default=30, ge=1, description="passes over the training rows, at most")
    mode: Literal["scratch", "finetune", "feature_extraction", "two_phase"] = Field(
        default="scratch",
        description="what learns: all, from random weights; all, from pretrained ones; the head "
        "alone; the head first, then all",
    )
    top: float = Field(
        default=1.0, ge=0, le=1, description="share of the layers that learn, from the head down"
    )
    layer_decay: float = Field(
        default=1.0, gt=0, le=1, description="the first layer's share of the head's learning rate"
    )
    head_share: float = Field(
        default=0.3, gt=0, lt=1, description="share of two_phase's epochs for the head alone"
    )
    later_lr: float = Field(
        default=0.05, gt=0, le=1, description="what two_phase multiplies lr by afterwards"
    )
    batch: int = Field(default=64, ge=2, description="pictures (or clips) per step")
    micro_batch: int = Field(
        default=0, ge=0, description="of these at once, gradients summed; 0: as many as fit"
    )
    sampling: Literal["all", "balanced"] = Field(
        default="all",
        description="every row once an epoch; or as many draws, all classes equally often",
    )
    optimiser: str = Field(
        default="sgd",
        description="rule by which gradients change weights: sgd, adam, adamw, or any of timm's "
        "(lamb, lion, muon, nadamw, ...)",
    )
    lr: float = Field(default=0.05, gt=0, description="highest learning rate")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="of sgd (Nesterov's) and muon")
    weight_decay: float = Field(
        default=5e-4, ge=0, description="on weights, not on biases and norms"
    )
    schedule: Literal["constant", "plateau", "cosine", "one_cycle"] = Field(
        default="one_cycle", description="course of the learning rate"
    )
    warmup: float = Field(default=0.2, ge=0, lt=1, description="rising share of one_cycle's steps")
    warmup_epochs: float = Field(
        default=0, ge=0, description="epochs in which the other schedules rise to lr"
    )
    plateau_factor: float = Field(
        default=0.5, gt=0, lt=1, description="what plateau multiplies lr by"
    )
    plateau_patience: int = Field(
        default=5, ge=0, description="epochs of a phase without gain before lr falls"
    )
    patience: int = Field(
        default=0,
        ge=0,
        description="epochs without gain before the end, of two_phase's second phase; 0: never",
    )
    small_share: float = Field(
        default=0, ge=0, le=1, description="first epochs on smaller pictures"
    )
    small_size: int = Field(
        default=32, ge=16, description="their side, pixels, where the model takes several"
    )
    class_weights: Literal["none", "inverse", "effective"] = Field(
        default="none", description="weight of a class in the loss, from its number of rows"
    )
    effective_beta: float = Field(
        default=0.999, ge=0, lt=1, description="of effective class weights"
    )
    loss: Literal["cross_entropy", "focal", "kl"] = Field(
        default="cross_entropy", description="between targets and predictions"
    )
    focal_gamma: float = Field(
        default=2.0, ge=0, description="of focal: how little what is already right counts"
    )
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="share of the target spread over all classes"
    )
    ema: float = Field(
        default=0.0, ge=0, lt=1, description="decay per step of averaged weights; 0: off"
    )
    mixup: float = Field(default=0.0, ge=0, description="alpha of blended pictures; 0: off")
    cutmix: float = Field(default=0.0, ge=0, description="alpha of pasted rectangles; 0: off")
    sam: float = Field(
        default=0.0, ge=0, description="radius of sharpness-aware steps (twice the time); 0: off"
    )
    clip: float = Field(default=0.0, ge=0, description="largest gradient norm; 0: no clipping")
    score: Literal["accuracy", "macro_f1", "mean_class_accuracy"] = Field(
        default="accuracy", description="of the validation rows; the best epoch by it is kept"
    )
    augment_on: Literal["auto", "host", "device"] = Field(
        default="auto",
        description="where: picture by picture on the host, or batches on the device; auto: on "
        "GPUs the device",
    )
    augment: Augment | None = Field(default=Augment(), description="null: pictures as they are")

    @model_validator(mode="after")
    def _fit_together(self) -> "TrainParams":
        if self.mode == "scratch" and self.pretrained:
            raise ValueError("mode: scratch starts from no weights; name another mode, or none")
        if self.mode == "scratch" and self.top < 1:
            raise ValueError(
                f"mode: scratch would freeze random weights; leave out top: {self.top}"
            )
        if self.mode != "scratch" and not self.pretrained:
            raise ValueError(f"mode: {self.mode} starts from weights; set pretrained")
        if self.labels == "multi_target" and (self.mixup or self.cutmix):
            raise ValueError("labels: multi_target has no mixed targets; leave out mixup, cutmix")
        if self.labels == "multi_target" and self.loss != "cross_entropy":
            raise ValueError("labels: multi_target has a loss of its own; leave out loss")
        if self.dimensions and (self.mixup or self.cutmix):
            raise ValueError("dimensions have no mixed ratings; leave out mixup, cutmix")
        if len(set(self.dimensions)) < len(self.dimensions):
            raise ValueError(f"dimensions: {', '.join(self.dimensions)} names one twice")
        if self.sam and self.precision == "fp16":
            raise ValueError("sam needs gradients as they are; set precision: bf16 or float32")
        return self


def resolve(path: Path, model: str, source: str, transfer: str | None = None) -> TrainParams:
    """Section `train`, overridden by the model's own line, then by the source's; or by the line of
    a `transfer` alone.

    A model under `clip_models` takes its source's line from `clip_sources`, any other from
    `sources`: what the stage depends on is what decides.

    Raises: BadParams.
    """
    everything = params.read(path)
    if "train" not in everything:
        raise BadParams(f"{path} has no section 'train'; see params/sample.yaml")
    if transfer is not None:
        line = params.transfers(path).get(transfer)
        if line is None:
            raise BadParams(f"{path}: transfers names no '{transfer}'")
        own = {key: value for key, value in line.items() if key not in ("model", "source")}
        return _checked([everything["train"], own], f"{path}: transfers.{transfer}")
    stills, clips = (everything.get(axis) or {} for axis in ("models", "clip_models"))
    if model in stills and model in clips:
        raise BadParams(f"{path}: '{model}' stands under models and clip_models; keep one of them")
    lines, sources = (clips, "clip_sources") if model in clips else (stills, "sources")
    layers = (everything["train"], lines.get(model), (everything.get(sources) or {}).get(source))
    return _checked(layers, f"{path}: train of {model} on {source}")


def _checked(layers: Iterable[Mapping[str, Any] | None], where: str) -> TrainParams:
    merged: dict[str, Any] = {}
    for layer in layers:
        _overlay(merged, layer or {})
    return params.check(TrainParams, merged, where)


def repeats(path: Path) -> int:
    """How often each training is repeated, from the axis `repeats`.

    Raises: BadParams.
    """
    value = params.read(path).get("repeats")
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BadParams(f"{path}: repeats = {value!r}; it must be a whole number from 1")
    return value


def _overlay(merged: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Puts `layer` over `merged`; a nested section keeps the keys that the layer leaves alone."""
    for key, value in layer.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), dict):
            merged[key] = {**merged[key], **value}
        else:
            merged[key] = dict(value) if isinstance(value, Mapping) else value
