"""Parameters of the validate stage, section `validate` of params.yaml."""

from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from fer_pipeline.params import Section

Severity = Literal["hard", "soft"]
Policy = Literal["fail", "drop_from_train", "keep"]

Name = Literal[
    "schema",
    "rows_present",
    "dataset_named",
    "ids_unique",
    "ids_named",
    "splits_known",
    "statuses_known",
    "emotions_known",
    "usable_rows_labelled",
    "protocol_applies",
    "subjects_disjoint",
    "sequences_disjoint",
    "classes_present",
    "classes_in_every_split",
    "split_sizes",
    "official_counts",
    "pictures_readable",
    "labels_known",
    "pictures_large_enough",
    "pictures_not_repeated",
    "pictures_in_one_split",
    "pictures_of_one_subject",
    "pictures_of_one_emotion",
    "rows_kept",
    "rows_not_added",
    "faces_found",
    "usable_rows_cropped",
    "boxes_inside",
    "faces_large_enough",
    "faces_not_constant",
    "near_repeats_in_split",
    "near_repeats_across",
    "sets_share_no_picture",
    "sets_share_no_near_picture",
]
"""Every expectation there is. What each one asks is said in `suites.py`."""

SEVERITIES: Final[Mapping[Name, Severity]] = {
    "schema": "hard",
    "rows_present": "hard",
    "dataset_named": "hard",
    "ids_unique": "hard",
    "ids_named": "hard",
    "splits_known": "hard",
    "statuses_known": "hard",
    "emotions_known": "hard",
    "usable_rows_labelled": "hard",
    "protocol_applies": "hard",
    "subjects_disjoint": "hard",
    "sequences_disjoint": "hard",
    "rows_kept": "hard",
    "rows_not_added": "hard",
    "usable_rows_cropped": "hard",
}
"""Hard unless params.yaml says otherwise; every other expectation is soft."""

ALWAYS_HARD: Final[tuple[Name, ...]] = ("schema", "protocol_applies")
"""Without these nothing else can be computed, here or in training."""


class ValidateParams(Section):
    """How strict validation is, and what becomes of pictures that lie in several splits."""

    leaks: Policy = Field(
        "drop_from_train",
        description="pictures in several splits of the set: stop the run, drop them from training, "
        "or keep; those of other sets only leave the leak-free score",
    )
    severities: dict[Name, Severity] = Field(
        default_factory=dict,
        description="expectation -> hard (a failure stops the run) or soft (it is reported)",
    )
    min_readable_rate: float = Field(0.99, ge=0, le=1, description="share of rows with a picture")
    min_known_label_rate: float = Field(0.99, ge=0, le=1, description="share of documented labels")
    min_detection_rate: float = Field(0.80, ge=0, le=1, description="faces per readable picture")
    min_box_inside_rate: float = Field(0.99, ge=0, le=1, description="share of boxes that fit")
    box_slack: float = Field(
        0.25, ge=0, le=1, description="how far a box may leave the picture, of its own side"
    )
    min_picture_side: int = Field(32, ge=1, description="shorter side of a picture, pixels")
    min_face_side: int = Field(24, ge=1, description="shorter side of a face's box, pixels")
    min_split_share: float = Field(
        0.05, ge=0, le=0.5, description="share of the rows that each split has at least"
    )
    official_tolerance: float = Field(
        0.0, ge=0, le=0.5, description="allowed relative difference from the official counts"
    )
    complete_from: float = Field(
        0.9, gt=0, le=1, description="share of the official rows from which a set counts as whole"
    )
    hash_side: Literal[8, 16] = Field(
        16, description="the perceptual hash has the square of this many bits"
    )
    near_distance: int = Field(
        40, ge=0, description="two faces this many bits apart or fewer are near duplicates"
    )
    named_rows: int = Field(5, ge=1, le=50, description="rows printed per failed expectation")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        # Unrelated pictures differ in half of their bits; a quarter is far beyond any copy.
        if self.near_distance > self.hash_side**2 // 4:
            raise ValueError(
                f"near_distance {self.near_distance} is over a quarter of {self.hash_side**2} bits"
            )
        for name in ALWAYS_HARD:
            if self.severities.get(name) == "soft":
                raise ValueError(f"{name} cannot be soft: nothing works on a set that fails it")
        return self

    def severity(self, name: Name) -> Severity:
        """hard or soft, as params.yaml, the leak policy or the default has it."""
        if name in self.severities:
            return self.severities[name]
        leaks = ("pictures_in_one_split", "near_repeats_across", "pictures_of_one_subject")
        if self.leaks == "fail" and name in leaks:
            return "hard"
        return SEVERITIES.get(name, "soft")
