"""FER2013: 35,887 gray faces of 48 x 48 pixels from the web, 7 classes.

Layouts on disk, in the raw folder or up to two folders deeper:
    fer2013.csv                 header `emotion,pixels,Usage`
    icml_face_data.csv          header `emotion, Usage, pixels`
    train.csv, test.csv         ICML 2013 challenge; test.csv has no labels: its rows keep their
                                split (by position, in a complete file only), have no emotion and
                                status `uncertain`
    {train,test}/<class>/{Training,PublicTest,PrivateTest}_<id>.jpg     (Kaggle msambare)
                                split by the file name's prefix; refused where a name lacks it
    {train,test}/<class>/im<k>.png                                      (atulapra)
                                k counts the class's rows in CSV order; test is PublicTest then
                                PrivateTest without a mark, told apart by position, which is only
                                possible when each class has its official number of files
    {train,validation}/<class>/<row>.jpg                                (Kaggle jonathanoheix)
                                its split is a new random one; the official one is recovered from
                                the number, which is the row of fer2013.csv
    Files in the folder forms that are no pictures by their names are left out, and counted.
Labels: 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral.
Splits: Usage Training is train, PublicTest is val, PrivateTest is test. Subjects: not known.
Licence: none stated by the authors; research use, pictures collected from the web.
Obtain: https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge
Paper: Goodfellow et al., "Challenges in representation learning", ICONIP 2013, arXiv:1307.0414.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from fer_pipeline import emotions
from fer_pipeline.datasets._disk import csv_pixels, tree
from fer_pipeline.datasets._disk import fer2013_folders as folders
from fer_pipeline.emotions import COMMON7
from fer_pipeline.errors import BadRaw
from fer_pipeline.manifest import OK, SPLITS, UNCERTAIN, UNKNOWN_LABEL, Sample
from fer_pipeline.portraits import Portrait
from fer_pipeline.protocol import Protocol

EMOTION_OF: Final = {str(code): emotion for code, emotion in enumerate(COMMON7)} | {
    spelling: emotion for emotion in COMMON7 for spelling in emotions.SPELLINGS[emotion]
}
"""Codes of the CSV forms and class folders of the others. FER2013's codes run as COMMON7 does."""

SPLIT_OF: Final = folders.SPLIT_OF
USAGE_OF: Final = {split: usage for usage, split in SPLIT_OF.items()}

CLASS_COUNTS: Final = {
    split: dict(zip(COMMON7, counts, strict=True))
    for split, counts in {
        "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),
        "val": (467, 56, 496, 895, 653, 415, 607),
        "test": (491, 55, 528, 879, 594, 416, 626),
    }.items()
}
"""Official rows per split and emotion."""

PROTOCOL: Final = Protocol(
    kind="official",
    source="Goodfellow et al. 2013, arXiv:1307.0414; the Usage column of fer2013.csv",
    counts={split: sum(counts.values()) for split, counts in CLASS_COUNTS.items()},
)
OBTAIN: Final = (
    "FER2013: fer2013.tar.gz (or icml_face_data.csv, or train.csv and test.csv) from "
    "https://www.kaggle.com/c/"
    "challenges-in-representation-learning-facial-expression-recognition-challenge/data, free with "
    "a Kaggle account, no licence stated by its authors: for research, not to be redistributed"
)

CSV: Final = ("fer2013.csv", "icml_face_data.csv")
ICML: Final = "train.csv+test.csv"
ICML_TRAIN: Final = "train.csv"

LAYOUT_COUNTS: Final = {ICML_TRAIN: {"train": PROTOCOL.counts["train"]}}
"""The training file alone."""


def recognise(raw: Path) -> str:
    """The layout: a CSV's name, train.csv[+test.csv], or folders-by-{prefix,position,row}.

    Raises: MissingData.
    """
    return find(raw)[0]


def find(raw: Path) -> tuple[str, Path]:
    """The layout and the folder it starts at.

    Raises: MissingData.
    """
    for root in tree.folders(raw):
        for name in CSV:
            if (root / name).is_file():
                return name, root
        if (root / "train.csv").is_file():
            return (ICML if (root / "test.csv").is_file() else ICML_TRAIN), root
        layout = folders.form(root)
        if layout:
            return layout, root
    raise tree.missing("FER2013", raw, f"{CSV[0]}, or one of its other forms,", OBTAIN)


def samples(raw: Path) -> Iterator[Sample]:
    """One sample per picture in the order of the layout; `pixels` in the CSV forms only.

    Raises: MissingData, BadRaw.
    """
    layout, root = find(raw)
    if layout in CSV:
        yield from _from_csv(root / layout, ("emotion", "Usage"))
    elif layout in (ICML, ICML_TRAIN):
        yield from _from_csv(root / "train.csv", ("emotion",))
        if layout == ICML:
            yield from _unlabelled(root / "test.csv")
    else:
        yield from folders.samples(raw, root, layout, CLASS_COUNTS)


def left_out(raw: Path) -> list[Path]:
    """Files among the pictures of the folder forms that are none, and make no row.

    Raises: MissingData.
    """
    layout, root = find(raw)
    return [] if layout in (*CSV, ICML, ICML_TRAIN) else folders.left_out(root)


def emotion_of(path: Path, row: csv_pixels.Row) -> str | None:
    """The emotion of a CSV row; None for a number that is no code of FER2013.

    Raises: BadRaw when it is no number: then the columns are not what they seem.
    """
    if not (row.emotion or "").isdecimal():
        raise BadRaw(
            f"{path}, line {row.line}: emotion '{row.emotion}' is no code 0 to 6 "
            "(0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral); mend the line"
        )
    return EMOTION_OF.get(str(int(row.emotion or "")))


def split_of(path: Path, row: csv_pixels.Row) -> str:
    """The split of a CSV row by its Usage; without that column it is the ICML training file's.

    Raises: BadRaw.
    """
    if row.usage is None:
        return "train"
    if row.usage not in SPLIT_OF:
        raise BadRaw(
            f"{path}, line {row.line}: Usage '{row.usage}' is none of "
            f"{', '.join(SPLIT_OF)}; mend the line"
        )
    return SPLIT_OF[row.usage]


def _from_csv(path: Path, columns: tuple[str, ...]) -> Iterator[Sample]:
    for row in csv_pixels.rows(path, columns):
        emotion = emotion_of(path, row)
        yield Sample(
            f"fer2013/{row.row:05d}",
            row.emotion,
            emotion,
            split_of(path, row),
            line=row.row,
            pixels=row.pixels,
            status=OK if emotion else UNKNOWN_LABEL,
            reason=None if emotion else f"{row.emotion} is no code 0 to 6",
        )


def _unlabelled(path: Path) -> Iterator[Sample]:
    train, val, test = (PROTOCOL.counts[split] for split in SPLITS)
    rows = csv_pixels.count(path)
    if rows != val + test:
        raise BadRaw(
            f"{path}: {rows} rows, not {val + test}; PublicTest and PrivateTest are told apart by "
            "position, in the complete file only: download it again, or remove it"
        )
    for row in csv_pixels.rows(path):
        yield Sample(
            f"fer2013/{train + row.row:05d}",
            None,
            None,
            "val" if row.row < val else "test",
            line=row.row,
            pixels=row.pixels,
            status=UNCERTAIN,
            reason="test.csv has no labels",
        )


def code_of(portrait: Portrait) -> int:
    """FER2013's code of a portrait. Contempt, which has none, becomes the class with most votes
    among the seven (the first of equals), neutral where nobody voted for any.
    """
    if portrait.emotion in COMMON7:
        return COMMON7.index(portrait.emotion)
    votes = portrait.votes[: len(COMMON7)]
    return votes.index(max(votes)) if any(votes) else COMMON7.index("neutral")


def in_file_order(portraits: Iterable[Portrait]) -> list[Portrait]:
    """Training, PublicTest, PrivateTest, each in the given order.

    Raises: ValueError when a portrait has no split.
    """
    given = list(portraits)
    if any(portrait.split not in SPLITS for portrait in given):
        raise ValueError("every portrait needs a split: FER2013 has official ones")
    return sorted(given, key=lambda portrait: SPLITS.index(portrait.split or ""))


def write_sample(portraits: Iterable[Portrait], raw: Path) -> None:
    """Writes raw/fer2013.csv, byte for byte as the real file is written, 48 x 48 gray."""
    lines = (
        (
            f"{code_of(portrait)},",
            csv_pixels.shrink(portrait.pixels),
            f",{USAGE_OF[portrait.split or '']}",
        )
        for portrait in in_file_order(portraits)
    )
    csv_pixels.write(raw / CSV[0], "emotion,pixels,Usage", lines)
