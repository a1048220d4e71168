"""The expectation suites: what is asked of a set's tables. Importing this imports GX: 3 s."""

from collections.abc import Iterable, Sequence
from typing import Any

from great_expectations import expectations as gxe
from great_expectations.expectations.expectation import Expectation

from fer_pipeline import registry
from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.manifest import SPLITS, STATUSES, UNKNOWN_LABEL, UNREADABLE
from fer_pipeline.protocol import Protocol
from fer_pipeline.validate.expectations import (
    ExpectGroupsToHaveOneValue,
    ExpectOfficialCounts,
    ExpectSplitsToHaveShares,
)
from fer_pipeline.validate.params import Name, ValidateParams

Suite = list[Expectation]


class _Builder:
    """Adds expectations with their name, severity and sentence."""

    def __init__(self, params: ValidateParams) -> None:
        self.suite: Suite = []
        self._params = params

    def add(self, name: Name, kind: Any, sentence: str, **settings: Any) -> None:
        severity = "critical" if self._params.severity(name) == "hard" else "warning"
        self.suite.append(
            kind(severity=severity, description=sentence, meta={"name": name}, **settings)
        )

    def never(self, name: Name, flag: str, sentence: str) -> None:
        """No row may have the flag, a boolean column."""
        self.add(name, gxe.ExpectColumnValuesToBeInSet, sentence, column=flag, value_set=[False])


def schema(params: ValidateParams) -> Suite:
    """Asked of `tables.fields`."""
    builder = _Builder(params)
    builder.add(
        "schema",
        gxe.ExpectColumnPairValuesToBeEqual,
        "Both tables have the manifest's columns and types, and no others.",
        column_A="found",
        column_B="wanted",
    )
    return builder.suite


def samples(
    dataset: str,
    protocol: Protocol,
    classes: Sequence[str],
    splits: Sequence[str],
    params: ValidateParams,
) -> Suite:
    """Asked of `tables.samples`; `splits`: those that the set should have, see `splits_of`."""
    builder = _Builder(params)
    _identity(builder, dataset)
    _protocol(builder, dataset, protocol, classes, splits, params)
    _pictures(builder, protocol, params)
    builder.never("rows_kept", "lost", "Detection kept every row, in the same order.")
    return builder.suite


def _identity(builder: _Builder, dataset: str) -> None:
    in_set, of_set = gxe.ExpectColumnValuesToBeInSet, "is one that the pipeline knows"
    add = builder.add
    add(
        "rows_present",
        gxe.ExpectTableRowCountToBeBetween,
        "The set has rows.",
        min_value=1,
    )
    add(
        "dataset_named",
        in_set,
        f"Every row says that it is of {dataset}.",
        column="dataset",
        value_set=[dataset],
    )
    add("ids_unique", gxe.ExpectColumnValuesToBeUnique, "No id occurs twice.", column="id")
    add(
        "ids_named",
        gxe.ExpectColumnValuesToMatchRegex,
        f"Every id begins with {dataset}/, so that ids are unique across sets.",
        column="id",
        regex=f"^{dataset}/.",
    )
    known_values: tuple[tuple[Name, str, tuple[str, ...]], ...] = (
        ("splits_known", "split", SPLITS),
        ("statuses_known", "status", STATUSES),
        ("emotions_known", "emotion", EMOTIONS),
    )
    for name, column, known in known_values:
        add(name, in_set, f"Every {column} {of_set}.", column=column, value_set=list(known))
    builder.never("usable_rows_labelled", "unlabelled", "Every row with status ok has an emotion.")


def splits_of(protocol: Protocol, found: Iterable[str]) -> list[str]:
    """The splits that a set should have: the official ones and those it has, but no validation
    set where neither knows one, since it is carved from the training rows then.
    """
    known = {"train", "test", *protocol.counts, *found}
    return [split for split in SPLITS if split in known] if protocol.kind == "official" else []


def others_of(dataset: str) -> list[dict[str, int]]:
    """Official rows per split in the set's layouts that have counts of their own."""
    layouts = getattr(registry.load("datasets", dataset), "LAYOUT_COUNTS", {})
    return [dict(counts) for counts in layouts.values() if set(counts) <= set(SPLITS)]


def _protocol(
    builder: _Builder,
    dataset: str,
    protocol: Protocol,
    classes: Sequence[str],
    splits: Sequence[str],
    params: ValidateParams,
) -> None:
    add = builder.add
    sentence = "Every row has the split that the set's protocol needs."
    if protocol.kind == "folds":
        sentence = "Every row with status ok has a subject, which folds need, or no row has one."
    add(
        "protocol_applies",
        gxe.ExpectColumnValuesToBeNull,
        sentence,
        column="fault",
    )
    kept_together: tuple[tuple[Name, str, str], ...] = (
        ("subjects_disjoint", "subject", "subject"),
        ("sequences_disjoint", "sequence", "sequence (clip)"),
    )
    of = "folds" if protocol.kind == "folds" else "of train, val and test"
    for name, column, what in kept_together:
        sentence = f"No {what} lies in two {of}."
        add(name, ExpectGroupsToHaveOneValue, sentence, group=column, attribute="part")
    contain = gxe.ExpectColumnDistinctValuesToContainSet
    sentence = "Every class that the set defines occurs."
    add("classes_present", contain, sentence, column="emotion", value_set=list(classes))
    if protocol.kind == "folds":
        return
    add(
        "classes_in_every_split",
        contain,
        "Every class that the set defines occurs in every split.",
        column="split_emotion",
        value_set=[f"{split}/{emotion}" for split in splits for emotion in classes],
    )
    add(
        "split_sizes",
        ExpectSplitsToHaveShares,
        f"Every split holds at least {params.min_split_share:.0%} of the rows.",
        splits=list(splits),
        min_share=params.min_split_share,
    )
    if protocol.counts:
        add(
            "official_counts",
            ExpectOfficialCounts,
            "A whole set has its official number of rows per split.",
            counts=dict(protocol.counts),
            others=others_of(dataset),
            tolerance=params.official_tolerance,
            complete_from=params.complete_from,
        )


def _pictures(builder: _Builder, protocol: Protocol, params: ValidateParams) -> None:
    add, outside = builder.add, gxe.ExpectColumnValuesToNotBeInSet
    add(
        "pictures_readable",
        outside,
        f"At least {params.min_readable_rate:.1%} of the pictures can be read.",
        column="status",
        value_set=[UNREADABLE],
        mostly=params.min_readable_rate,
    )
    add(
        "labels_known",
        outside,
        f"At least {params.min_known_label_rate:.1%} of the labels are documented ones.",
        column="status",
        value_set=[UNKNOWN_LABEL],
        mostly=params.min_known_label_rate,
    )
    add(
        "pictures_large_enough",
        gxe.ExpectColumnValuesToBeBetween,
        f"Every picture's shorter side has at least {params.min_picture_side} pixels.",
        column="short_side",
        min_value=params.min_picture_side,
    )
    builder.never("pictures_not_repeated", "repeats", "No picture repeats an earlier row's.")
    one = ExpectGroupsToHaveOneValue
    sentence = "No picture carries two emotions."
    add("pictures_of_one_emotion", one, sentence, group="pixel_hash", attribute="emotion")
    sentence = "No picture lies under two subjects."
    add("pictures_of_one_subject", one, sentence, group="pixel_hash", attribute="subject")
    if protocol.kind == "official":
        sentence = "No picture lies in two splits."
        add("pictures_in_one_split", one, sentence, group="pixel_hash", attribute="split")


def faces(protocol: Protocol, rows: int, params: ValidateParams) -> Suite:
    """Asked of `tables.faces`, with the flags that `dataset` adds; `rows`: of the samples."""
    builder = _Builder(params)
    add, never, between = builder.add, builder.never, gxe.ExpectColumnValuesToBeBetween
    add(
        "rows_not_added",
        gxe.ExpectTableRowCountToEqual,
        "There are as many face rows as sample rows.",
        value=rows,
    )
    add(
        "faces_found",
        gxe.ExpectColumnValuesToBeInSet,
        f"A face was found in at least {params.min_detection_rate:.0%} of the readable pictures.",
        column="found",
        value_set=[True],
        mostly=params.min_detection_rate,
    )
    never("usable_rows_cropped", "uncropped", "Every row with status ok has an aligned face.")
    add(
        "boxes_inside",
        between,
        f"At least {params.min_box_inside_rate:.1%} of the boxes leave their picture by no more "
        f"than {params.box_slack:.0%} of their own side.",
        column="overhang",
        max_value=params.box_slack,
        mostly=params.min_box_inside_rate,
    )
    add(
        "faces_large_enough",
        between,
        f"Every face's shorter side has at least {params.min_face_side} pixels.",
        column="face_side",
        min_value=params.min_face_side,
    )
    never("faces_not_constant", "constant", "No face is all one value.")
    apart = "subjects" if protocol.kind == "folds" else "parts (train, val, test)"
    within = "subject" if protocol.kind == "folds" else "part"
    never("near_repeats_in_split", "near_within", f"No face nearly equals another of its {within}.")
    never("near_repeats_across", "near_across", f"No two {apart} share a nearly equal face.")
    return builder.suite


def across(params: ValidateParams) -> Suite:
    """Asked of `across.pairs`."""
    builder = _Builder(params)
    sentence = "No two sets share a picture."
    between = gxe.ExpectColumnValuesToBeBetween
    builder.add("sets_share_no_picture", between, sentence, column="pictures", max_value=0)
    sentence = "No two sets share a nearly equal face."
    builder.add("sets_share_no_near_picture", between, sentence, column="near", max_value=0)
    return builder.suite
