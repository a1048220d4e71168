"""RAF-DB basic: 15,339 faces from the web, 7 classes, about 40 raters a picture.

Layouts
    basic, raf-basic
        EmoLabel/list_patition_label.txt (sic): `train_00001.jpg 5`, no header
        Image/aligned/train_00001_aligned.jpg, test_0001_aligned.jpg (100 x 100 RGB)
        Image/original/train_00001.jpg
        Annotation/manual/train_00001_manu_attri.txt: lines 1-5 landmarks `x y` in the original,
        then gender, race, age
        Annotation/boundingbox/train_00001_boundingbox.txt or train_00001.txt: `x0 y0 x1 y1`
    kaggle
        DATASET/{train,test}/<1..7>/<name>_aligned.jpg, train_labels.csv, test_labels.csv (`image,
        label`); the CSV wins over the folder, a picture that it does not list goes by its folder,
        one that it lists twice makes two rows; the split folders in any common spelling
    huggingface
        *.parquet or *.arrow at any depth, with image = {bytes, path} and label 1..7; the split by
        the picture's name, the table's or its folder's
The aligned picture is read; where it is missing, the original with its landmarks and box. An
aligned picture without a line in the label file is a row with status unknown_label.

Splits: by file-name prefix, train 12,271 and test 3,068; validation is carved from train.
Subjects: not given. Attributes: gender, race, age (0-3, 4-19, 20-39, 40-69, 70+).
Licence: by agreement, research only, not redistributable.
Paper: Li, Deng, Du, "Reliable crowdsourcing and deep locality-preserving learning for expression
recognition in the wild", CVPR 2017. http://www.whdeld.cn/RAF/model1.html
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from fer_pipeline.datasets._disk import canvas, class_folders, hugging, rafdb_kaggle, tree
from fer_pipeline.errors import BadRaw
from fer_pipeline.faces import align
from fer_pipeline.manifest import Sample
from fer_pipeline.portraits import Portrait
from fer_pipeline.protocol import Protocol

EMOTION_OF: Final[dict[str, str | None]] = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happiness",
    "5": "sadness",
    "6": "anger",
    "7": "neutral",
}
CLASS_COUNTS: Final = {
    "train": {
        "surprise": 1290,
        "fear": 281,
        "disgust": 717,
        "happiness": 4772,
        "sadness": 1982,
        "anger": 705,
        "neutral": 2524,
    },
    "test": {
        "surprise": 329,
        "fear": 74,
        "disgust": 160,
        "happiness": 1185,
        "sadness": 478,
        "anger": 162,
        "neutral": 680,
    },
}
"""Official rows per split and emotion. Source: EmoLabel/list_patition_label.txt."""

PROTOCOL: Final = Protocol(
    "official",
    "Li, Deng, Du, CVPR 2017: basic emotions, train and test by file name",
    counts={split: sum(counts.values()) for split, counts in CLASS_COUNTS.items()},
)
OBTAIN: Final = (
    "RAF-DB is free for research by agreement: ask at http://www.whdeld.cn/RAF/model1.html "
    "from a university address, then unpack basic/ (EmoLabel, Image, Annotation) there"
)
GENDERS: Final = ("male", "female", "unsure")
RACES: Final = ("Caucasian", "African-American", "Asian")
AGES: Final = ("0-3", "4-19", "20-39", "40-69", "70+")
"""Words for the codes in Annotation/manual, from 0. Source: the set's own readme."""

_LABELS: Final = Path("EmoLabel") / "list_patition_label.txt"


def recognise(raw: Path) -> str:
    """basic, raf-basic, kaggle or huggingface.

    Raises: MissingData.
    """
    return _find(raw)[0]


def samples(raw: Path) -> Iterator[Sample]:
    """One row per picture, in the order of the label file.

    Raises: MissingData, BadRaw.
    """
    layout, root = _find(raw)
    if layout == "kaggle":
        yield from rafdb_kaggle.samples(raw, root, EMOTION_OF)
    elif layout == "huggingface":
        splits = {shard: hugging.split_of(shard, root) for shard in hugging.shards(root)}
        yield from hugging.samples(root, "rafdb", EMOTION_OF, splits, _split)
    else:
        yield from _basic(raw, root)


def _find(raw: Path) -> tuple[str, Path]:
    for folder in tree.folders(raw):
        if (folder / _LABELS).is_file():
            return ("raf-basic" if folder.name == "raf-basic" else "basic"), folder
        parts = class_folders.splits(folder).values()
        if any((part / code).is_dir() for part in parts for code in EMOTION_OF):
            return "kaggle", folder
    if hugging.shards(raw):
        return "huggingface", raw
    raise tree.missing("RAF-DB", raw, str(Path("basic") / _LABELS), OBTAIN)


def _split(name: str) -> str | None:
    return next((part for part in ("train", "test") if name.startswith(part)), None)


def _basic(raw: Path, root: Path) -> Iterator[Sample]:
    labels, name_of = root / _LABELS, tree.Names("rafdb")
    listed = set()
    for line, text in tree.lines(labels):
        words = text.split()
        split = _split(words[0])
        if len(words) != 2 or not words[0].endswith(".jpg") or split is None:
            raise BadRaw(
                f"{labels}, line {line}: '{text[:60]}' is not of the form 'train_00001.jpg 5'; "
                "restore the original line"
            )
        stem = words[0].removesuffix(".jpg")
        path = root / "Image" / "aligned" / f"{stem}_aligned.jpg"
        listed.add(path.name)
        original = root / "Image" / "original" / words[0]
        uses_original = not path.is_file() and original.is_file()
        columns = _annotations(root, stem, uses_original)
        path = original if uses_original else path
        yield tree.row(
            raw, name_of(stem), path, words[1], EMOTION_OF, split=split, line=line, **columns
        )
    for path in tree.files(root / "Image" / "aligned"):
        if path.name not in listed:
            split = _split(path.name) or "train"
            name = name_of(path.name)
            yield tree.unlabelled(raw, name, path, f"{labels.name} does not list it", split=split)


def _annotations(root: Path, stem: str, of_original: bool) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    manual = root / "Annotation" / "manual" / f"{stem}_manu_attri.txt"
    if manual.is_file():
        rows = list(tree.lines(manual))
        if len(rows) != 8:
            raise BadRaw(f"{manual}: {len(rows)} lines, not 8; unpack the original file again")
        points = [tree.numbers(text, 2, manual, line) for line, text in rows[:5]]
        words = zip(("gender", "race", "age"), (GENDERS, RACES, AGES), rows[5:], strict=True)
        columns["attributes"] = {
            key: _word(names, text, manual, line) for key, names, (line, text) in words
        }
        if of_original:
            columns["given_landmarks"] = [value for point in points for value in point]
    box = _box(root / "Annotation" / "boundingbox", stem)
    if of_original:
        columns["given_box"] = box
    return columns


def _word(names: tuple[str, ...], text: str, path: Path, line: int) -> str:
    code = text.strip()
    if not code.isdigit() or int(code) >= len(names):
        raise BadRaw(
            f"{path}, line {line}: code '{code}' is not 0-{len(names) - 1}; unpack it again"
        )
    return names[int(code)]


def _box(folder: Path, stem: str) -> list[float] | None:
    for path in (folder / f"{stem}_boundingbox.txt", folder / f"{stem}.txt"):
        if path.is_file():
            line, text = next(tree.lines(path), (1, ""))
            return tree.numbers(text, 4, path, line)
    return None


def write_sample(portraits: Iterable[Portrait], raw: Path) -> None:
    """Lays the portraits out as `basic`: aligned and original pictures, labels, annotations.

    Test portraits become test pictures, all others train: the set has no validation split.

    Raises: ValueError for an emotion that the set does not know.
    """
    code_of = {emotion: code for code, emotion in EMOTION_OF.items()}
    root = raw / "basic"
    count = {"train": 0, "test": 0}
    labels = []
    for portrait in portraits:
        if portrait.emotion not in code_of:
            raise ValueError(f"RAF-DB has no class for {portrait.emotion!r}")
        split = "test" if portrait.split == "test" else "train"
        count[split] += 1
        stem = f"{split}_{count[split]:0{5 if split == 'train' else 4}d}"
        labels.append(f"{stem}.jpg {code_of[portrait.emotion]}\n")
        aligned, _ = align(portrait.pixels, canvas.face(portrait), 100)
        canvas.write_jpeg(root / "Image" / "aligned" / f"{stem}_aligned.jpg", aligned)
        canvas.write_jpeg(root / "Image" / "original" / f"{stem}.jpg", portrait.pixels)
        _write_manual(root / "Annotation" / "manual" / f"{stem}_manu_attri.txt", portrait)
        box = " ".join(f"{edge:.6f}" for edge in portrait.box)
        _write(root / "Annotation" / "boundingbox" / f"{stem}_boundingbox.txt", f"{box}\n")
    _write(root / _LABELS, "".join(labels))


def _write_manual(path: Path, portrait: Portrait) -> None:
    points = canvas.five_points(portrait.landmarks)
    age = sum(portrait.age >= youngest for youngest in (4, 20, 40, 70))
    codes = (GENDERS.index(portrait.gender), RACES.index(portrait.race), age)
    rows = [f"{x:.3f}\t{y:.3f}\n" for x, y in points] + [f"{code}\n" for code in codes]
    _write(path, "".join(rows))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
