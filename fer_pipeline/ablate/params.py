"""The `ablate` section of params.yaml."""

from typing import Any, Literal

from pydantic import Field

from fer_pipeline.params import Section

Name = Literal[
    "no_augmentation",
    "no_dropout",
    "no_norm",
    "no_attention",
    "no_transfer",
    "no_temporal",
    "no_alignment",
    "no_class_weights",
    "size_48",
    "size_96",
    "size_224",
]


class AblateParams(Section):
    """What is taken away; a model's line under `ablations` or `clip_ablations` changes it
    for that model."""

    variants: tuple[Name, ...] = Field(
        default=(
            "no_augmentation",
            "no_dropout",
            "no_norm",
            "no_attention",
            "no_transfer",
            "no_temporal",
            "no_alignment",
            "no_class_weights",
            "size_48",
            "size_96",
            "size_224",
        ),
        description="trained beside the base; those that a model cannot do without are named so",
    )
    own: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="variants of your own: name -> keys of train (options.dropout, ...) and values",
    )
    repeats: int | None = Field(default=None, ge=1, description="of each; null: the axis repeats")
    epochs: int | None = Field(default=None, ge=1, description="of each; null: as in train")
    resamples: int = Field(default=2000, ge=2000, le=100_000, description="bootstrap resamples")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="of all intervals")
    seed: int = Field(default=0, ge=0, description="of the bootstrap")
