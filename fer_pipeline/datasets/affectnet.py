"""AffectNet: about a million pictures from web searches, 8 classes, valence and arousal.

Layouts
    lists       Manually_Annotated_file_lists/{training,validation}.csv, Automatically_Annotated_
                file_lists/automatically_annotated.csv (columns HEADER; the header may be missing),
                {Manually,Automatically}_Annotated/<same>_Images/<n>/<sha>.jpg. Where both are
                there, the automatic rows have status uncertain: no person looked at them
    npy         {train_set,val_set}/images/<id>.jpg, annotations/<id>_{exp,val,aro,lnd}.npy: each a
                0-d array of text; lnd x0, y0, x1, ... of 68 points
    kaggle      [Train|Test]/<class>/image0000006.jpg, labels.csv `,pth,label,relFCs`: its label
                wins over the folder, a picture that it does not list goes by its folder, one that
                it lists twice makes two rows
    yolo        data.yaml with class names, {train,valid,test}/{images,labels}, lines `class cx cy
                w h` in shares of the picture
    huggingface *.parquet or *.arrow at any depth with image and label; the schema's metadata names
                the classes; the split by the table's name or its folder's, train for a lone one
    coded       {train,val,test}/<0..7>/*.jpg
    The split folders of kaggle, yolo and coded in any common spelling (valid, Validation, ...).

Labels: EMOTION_OF for lists, npy and coded; class names for the rest. 8 to 10 are uncertain.
Valence and arousal of -2 are invalid. Boxes with NULL or without a positive size are left out, with
the reason as attribute given_box; lists give boxes and landmarks in the original picture.

Splits: the test set is unpublished, so the validation set is the test; a validation set is carved
from train. Layouts that hold both keep both. Subjects: not given.
Licence: by agreement, research only, not redistributable.
Paper: Mollahosseini, Hasani, Mahoor, "AffectNet: a database for facial expression, valence, and
arousal computing in the wild", IEEE Trans. Affective Computing 10(1), 2019.
http://mohammadmahoor.com/affectnet/
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from fer_pipeline.datasets._disk import affectnet_folders as folders
from fer_pipeline.datasets._disk import affectnet_lists as lists
from fer_pipeline.datasets._disk import canvas, class_folders, hugging, tree
from fer_pipeline.manifest import Sample
from fer_pipeline.portraits import Portrait
from fer_pipeline.protocol import Protocol

EMOTION_OF: Final[dict[str, str | None]] = {
    "0": "neutral",
    "1": "happiness",
    "2": "sadness",
    "3": "surprise",
    "4": "fear",
    "5": "disgust",
    "6": "anger",
    "7": "contempt",
    "8": None,
    "9": None,
    "10": None,
}
"""8 None, 9 Uncertain, 10 No-Face."""

PROTOCOL: Final = Protocol(
    "official", "Mollahosseini et al. 2019: test set unpublished, validation used as test"
)
"""No counts: each release of the set has other ones, see LAYOUT_COUNTS."""

_NPY_TRAIN: Final = {
    "neutral": 74874,
    "happiness": 134415,
    "sadness": 25459,
    "surprise": 14090,
    "fear": 6378,
    "disgust": 3803,
    "anger": 24882,
}
_NPY_TEST: Final = dict.fromkeys(_NPY_TRAIN, 500)

LAYOUT_COUNTS: Final = {
    "npy/7 classes": {"train": sum(_NPY_TRAIN.values()), "test": sum(_NPY_TEST.values())},
    "npy/8 classes": {"train": sum(_NPY_TRAIN.values()) + 3750, "test": 3999},
    "yolo": {"train": 17101, "val": 5406, "test": 2755},
}
LAYOUT_CLASSES: Final = {"npy/7 classes": {"train": _NPY_TRAIN, "test": _NPY_TEST}}

OBTAIN: Final = (
    "AffectNet is free for research by agreement: ask at http://mohammadmahoor.com/affectnet/ from "
    "a university address, then unpack its folders there"
)

_MANUAL: Final = Path("Manually_Annotated_file_lists")
_AUTOMATIC: Final = Path("Automatically_Annotated_file_lists")


def recognise(raw: Path) -> str:
    """lists, npy, kaggle, yolo, huggingface or coded.

    Raises: MissingData.
    """
    return _find(raw)[0]


def samples(raw: Path) -> Iterator[Sample]:
    """One row per listed picture, in the order of the lists or of the file names.

    Raises: MissingData, BadRaw.
    """
    layout, root = _find(raw)
    readers: dict[str, Callable[[], Iterator[Sample]]] = {
        "lists": lambda: lists.samples(raw, root, EMOTION_OF),
        "npy": lambda: folders.npy(raw, root, EMOTION_OF),
        "kaggle": lambda: folders.kaggle(raw, root),
        "yolo": lambda: folders.yolo(raw, root),
        "huggingface": lambda: hugging.samples(root, "affectnet", None, _splits(root)),
        "coded": lambda: folders.coded(raw, root, EMOTION_OF),
    }
    yield from readers[layout]()


def _find(raw: Path) -> tuple[str, Path]:
    for folder in tree.folders(raw):
        if (folder / _MANUAL).is_dir() or (folder / _AUTOMATIC).is_dir():
            return "lists", folder
        if any((folder / part / "annotations").is_dir() for part in folders.NPY):
            return "npy", folder
        if (folder / "data.yaml").is_file():
            return "yolo", folder
        if (folder / "labels.csv").is_file():
            return "kaggle", folder
        parts = class_folders.splits(folder).values()
        if any((part / code).is_dir() for part in parts for code in EMOTION_OF):
            return "coded", folder
    if hugging.shards(raw):
        return "huggingface", raw
    expected = f"{_MANUAL}/, train_set/, data.yaml, labels.csv, *.parquet or train/<0..7>/"
    raise tree.missing("AffectNet", raw, expected, OBTAIN)


def _splits(root: Path) -> dict[Path, str | None]:
    """Split of each table; a lone one without a name for it is all that is handed around: train."""
    found = {shard: hugging.split_of(shard, root) for shard in hugging.shards(root)}
    if "test" not in found.values():
        found = {shard: "test" if split == "val" else split for shard, split in found.items()}
    return {shard: split or "train" for shard, split in found.items()} if len(found) == 1 else found


def write_sample(portraits: Iterable[Portrait], raw: Path) -> None:
    """Lays the portraits out as `lists`, manually annotated, with boxes and 68 landmarks.

    Test portraits go to validation.csv, all others to training.csv.
    """
    code_of = {emotion: code for code, emotion in EMOTION_OF.items() if emotion}
    texts = {"training": [lists.HEADER], "validation": [lists.HEADER]}
    for number, portrait in enumerate(portraits):
        sha = hashlib.sha224(f"{number}/{portrait.subject}".encode()).hexdigest()
        name = f"{number // 100 + 1}/{sha}.jpg"
        canvas.write_jpeg(raw / lists.IMAGES[_MANUAL.name] / name, portrait.pixels)
        height, width = portrait.pixels.shape[:2]
        x0, y0, x1, y1 = (round(float(edge)) for edge in portrait.box)
        x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
        points = ";".join(f"{value:.2f}" for value in portrait.landmarks.ravel())
        line = (
            f"{name},{x0},{y0},{x1 - x0},{y1 - y0},{points},{code_of[portrait.emotion]},"
            f"{portrait.valence:.6f},{portrait.arousal:.6f}"
        )
        texts["validation" if portrait.split == "test" else "training"].append(line)
    (raw / _MANUAL).mkdir(parents=True, exist_ok=True)
    for part, rows in texts.items():
        path = raw / _MANUAL / f"{part}.csv"
        path.write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
