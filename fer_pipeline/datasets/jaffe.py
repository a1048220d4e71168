"""JAFFE: 213 posed pictures of 10 Japanese women, 7 classes.

Layout `tiff`: a flat folder of 256 x 256 gray TIFFs `<subject>.<EE><n>.<index>.tiff`, such as
KA.AN1.39.tiff (some with three equal channels), beside a README with the ratings table
`N HAP SAD SUR ANG DIS FEA PIC`: means of 60 raters, 1 to 5, PIC = KA-AN1. A second table, with fear
left out, follows it in the README and is not read. Rated pictures that are not on disk make no row.

Labels: EE in the name. Subjects: the two initials. Splits: none, leave one subject out.
Intensity: the rating of the labelled emotion, 1 to 5 as 0 to 1; neutral is not rated.
Attributes: rating_hap, rating_sad, rating_sur, rating_ang, rating_dis, rating_fea.
Licence: non-commercial research, not redistributable.
Paper: Lyons, Akamatsu, Kamachi, Gyoba, "Coding facial expressions with Gabor wavelets", FG 1998.
https://zenodo.org/records/3451524
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from fer_pipeline.datasets._disk import canvas, tree
from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.errors import BadRaw
from fer_pipeline.manifest import Sample
from fer_pipeline.portraits import Portrait
from fer_pipeline.protocol import Protocol

EMOTION_OF: Final[dict[str, str | None]] = {
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
PROTOCOL: Final = Protocol("folds", "leave one subject out: ten women, no official split", folds=0)
LAYOUT_COUNTS: Final = {"tiff": {"all": 213}}
OBTAIN: Final = (
    "JAFFE is free for non-commercial research on request: https://zenodo.org/records/3451524; "
    "unpack the TIFFs and the README there"
)
SUBJECTS: Final = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")
RATED: Final = ("HAP", "SAD", "SUR", "ANG", "DIS", "FEA")
RATING_OF: Final = {f"rating_{name.lower()}": name[:2] for name in RATED}
"""Attribute -> the label that it rates."""

_NAME: Final = re.compile(r"([A-Z]{2})\.([A-Z]{2})(\d+)\.(\d+)\.tiff?", re.IGNORECASE)
_PICTURE: Final = re.compile(r"[A-Z]{2}-[A-Z]{2}\d+", re.IGNORECASE)
_SUFFIXES: Final = (".tiff", ".tif")


def recognise(raw: Path) -> str:
    """tiff.

    Raises: MissingData.
    """
    _find(raw)
    return "tiff"


def samples(raw: Path) -> Iterator[Sample]:
    """One row per TIFF, by name.

    Raises: MissingData, BadRaw.
    """
    root = _find(raw)
    ratings, name_of = _ratings(root), tree.Names("jaffe")
    for path in sorted(tree.files(root, _SUFFIXES)):
        name = name_of(path.stem)
        match = _NAME.fullmatch(path.name)
        if match is None:
            reason = "the name is not of the form KA.AN1.39.tiff"
            yield tree.unlabelled(raw, name, path, reason)
            continue
        subject, label, take = match[1].upper(), match[2].upper(), match[3]
        line, scores = ratings.get(f"{subject}-{label}{take}", (None, {}))
        columns = {"subject": subject, "line": line, "attributes": scores}
        rated = next((scores[key] for key in scores if RATING_OF.get(key) == label), None)
        if rated is not None:
            columns["intensity"] = (float(rated) - 1) / 4
        yield tree.row(raw, name, path, label, EMOTION_OF, **columns)


def _find(raw: Path) -> Path:
    for folder in tree.folders(raw):
        if any(_NAME.fullmatch(path.name) for path in tree.files(folder, _SUFFIXES)):
            return folder
    raise tree.missing("JAFFE", raw, "KA.AN1.39.tiff and its like", OBTAIN)


def _ratings(root: Path) -> dict[str, tuple[int | None, dict[str, str]]]:
    """KA-AN1 -> line and scores of the README's first table; {} when no file holds one."""
    for path in sorted(root.iterdir()):
        if path.is_file() and path.stem.lower().startswith("readme"):
            table = _table(path)
            if table:
                return table
    return {}


def _table(path: Path) -> dict[str, tuple[int | None, dict[str, str]]]:
    found: dict[str, tuple[int | None, dict[str, str]]] = {}
    inside = False
    for line, text in enumerate(path.read_text(encoding="latin-1").splitlines(), start=1):
        words = text.split()
        if "PIC" in words and "HAP" in words:
            if "FEA" not in words:
                break
            inside = True
        elif "fear excluded" in text.lower():
            if inside:
                break
        elif inside and words and words[0].isdigit() and _PICTURE.fullmatch(words[-1]):
            if len(words) != 8:
                raise BadRaw(
                    f"{path}, line {line}: {len(words)} values, not 8; restore the original README"
                )
            tree.numbers(" ".join(words[1:7]), 6, path, line)
            keys = (f"rating_{name.lower()}" for name in RATED)
            found[words[7].upper()] = (line, dict(zip(keys, words[1:7], strict=True)))
    return found


def write_sample(portraits: Iterable[Portrait], raw: Path) -> None:
    """Lays the portraits out as 256 x 256 gray TIFFs and a README with both ratings tables.

    The first subject becomes KA, the second KL, and so on; ratings follow from the votes.

    Raises: ValueError for an eleventh subject or an emotion that the set does not know.
    """
    code_of = {emotion: code for code, emotion in EMOTION_OF.items()}
    initials: dict[str, str] = {}
    takes: dict[str, int] = {}
    rated: list[tuple[int, list[float], str]] = []
    raw.mkdir(parents=True, exist_ok=True)
    for index, portrait in enumerate(portraits, start=1):
        if portrait.emotion not in code_of:
            raise ValueError(f"JAFFE has no class for {portrait.emotion!r}")
        if portrait.subject not in initials and len(initials) == len(SUBJECTS):
            raise ValueError(f"JAFFE has {len(SUBJECTS)} subjects, {portrait.subject} is one more")
        subject = initials.setdefault(portrait.subject, SUBJECTS[len(initials) % len(SUBJECTS)])
        kind = f"{subject}.{code_of[portrait.emotion]}"
        takes[kind] = takes.get(kind, 0) + 1
        pixels, _ = canvas.fit(portrait.pixels, portrait.landmarks, 256, 256)
        canvas.write_gray_tiff(raw / f"{kind}{takes[kind]}.{index}.tiff", pixels)
        rated.append((index, _scores(portrait), f"{kind}{takes[kind]}".replace(".", "-")))
    (raw / "README").write_text(_readme(rated), encoding="utf-8", newline="\n")


def _scores(portrait: Portrait) -> list[float]:
    """Ratings from 1 to 5 in the order of RATED, by the share of votes."""
    votes = dict(zip(EMOTIONS, portrait.votes, strict=False))
    return [1 + 4 * votes[tree.WORDS[name.lower()]] / sum(portrait.votes) for name in RATED]


def _readme(rated: list[tuple[int, list[float], str]]) -> str:
    def rows(names: tuple[str, ...], lines: list[tuple[int, list[float], str]]) -> list[str]:
        head = [f"  N  {'  '.join(names)}  PIC", "-" * 60]
        body = [f"{n:3d} {' '.join(f'{s:.2f}' for s in scores)} {pic}" for n, scores, pic in lines]
        return head + body

    without_fear = [(n, scores[:5], pic) for n, scores, pic in rated if "-FE" not in pic]
    parts = ["Synthetic faces laid out like JAFFE.", "", "Semantic Ratings Data", ""]
    parts += rows(RATED, rated)
    parts += ["", "Semantic Ratings Data (Fear Excluded)", ""]
    parts += rows(RATED[:5], without_fear)
    return "\n".join(parts) + "\n"
