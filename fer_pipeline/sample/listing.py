"""The labelled pictures of a laid-out sample, in a form that faults can be planted in.

A listing has `ids` as ingest will name the pictures, `splits`, `labels` as the set writes them, and
keeps changes until `save`.
"""

from pathlib import Path
from shutil import copyfile
from typing import Final

_PIXELS: Final = 48 * 48
_VOTED: Final = 8
"""Of ten raters, how many agree on a picture whose label a planted fault depends on."""


class Rows:
    """The rows of fer2013.csv, whose pictures lie in the file itself."""

    _COLUMNS: Final = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")

    def __init__(self, raw: Path, name: str) -> None:
        self._path = raw / "fer2013.csv"
        self._header, *lines = self._path.read_text(encoding="ascii").splitlines()
        cells = [line.split(",") for line in lines]
        self.ids = [f"{name}/{number:05d}" for number in range(len(cells))]
        self.labels = [code for code, _, _ in cells]
        self.splits = ["train" if usage == "Training" else "test" for _, _, usage in cells]
        self._pictures = [pixels for _, pixels, _ in cells]
        self._usages = [usage for _, _, usage in cells]

    def relabel(self, index: int, label: str) -> None:
        """Writes another code."""
        self.labels[index] = label

    def copy(self, source: int, target: int) -> None:
        """Puts the source's picture in the target's place; the target keeps its label."""
        self._pictures[target] = self._pictures[source]

    def blank(self, index: int, level: int) -> None:
        """Makes the picture a single gray level."""
        self._pictures[index] = " ".join([str(level)] * _PIXELS)

    def agree(self, index: int) -> None:
        """FER2013 has one label and no raters: nothing to do."""

    def save(self) -> None:
        """Writes the file again."""
        cells = zip(self.labels, self._pictures, self._usages, strict=True)
        text = "\n".join([self._header, *(",".join(row) for row in cells)]) + "\n"
        self._path.write_text(text, encoding="ascii", newline="\n")


class VotedRows(Rows):
    """The same rows with fer2013new.csv beside them, joined by line."""

    def __init__(self, raw: Path, name: str) -> None:
        super().__init__(raw, name)
        self._votes_path = raw / "fer2013new.csv"
        head, *lines = self._votes_path.read_text(encoding="ascii").splitlines()
        self._votes_head = head.split(",")
        self._votes = [line.split(",") for line in lines]

    def blank(self, index: int, level: int) -> None:
        """Makes the picture a single gray level; all raters see that it is no face."""
        super().blank(index, level)
        # The real file gives such rows an empty name.
        self._vote(index, {"NF": 10}, "")

    def agree(self, index: int) -> None:
        """Makes most raters vote for the row's FER2013 label, so that it is the majority."""
        name = self._COLUMNS[int(self.labels[index])]
        self._vote(index, {name: _VOTED, "unknown": 10 - _VOTED}, self._votes[index][1])

    def save(self) -> None:
        """Writes both files again."""
        super().save()
        text = "\n".join(",".join(row) for row in [self._votes_head, *self._votes]) + "\n"
        self._votes_path.write_text(text, encoding="ascii", newline="\n")

    def _vote(self, index: int, votes: dict[str, int], name: str) -> None:
        counts = [str(votes.get(column, 0)) for column in self._votes_head[2:]]
        self._votes[index] = [self._votes[index][0], name, *counts]


class RafFiles:
    """RAF-DB's pictures, aligned and original, and EmoLabel/list_patition_label.txt."""

    def __init__(self, raw: Path, name: str) -> None:
        self._path = raw / "basic" / "EmoLabel" / "list_patition_label.txt"
        cells = [line.split() for line in self._path.read_text(encoding="utf-8").splitlines()]
        self._names = [file for file, _ in cells]
        self.labels = [code for _, code in cells]
        self.ids = [f"{name}/{file.removesuffix('.jpg')}" for file in self._names]
        self.splits = [file.split("_")[0] for file in self._names]
        self._images = raw / "basic" / "Image"

    def files(self, index: int) -> list[Path]:
        """The picture's files: aligned, then original."""
        stem = self._names[index].removesuffix(".jpg")
        aligned = self._images / "aligned" / f"{stem}_aligned.jpg"
        return [aligned, self._images / "original" / self._names[index]]

    def relabel(self, index: int, label: str) -> None:
        """Writes another code."""
        self.labels[index] = label

    def copy(self, source: int, target: int) -> None:
        """Puts the source's pictures in the target's place; the target keeps its label."""
        for old, new in zip(self.files(source), self.files(target), strict=True):
            copyfile(old, new)

    def save(self) -> None:
        """Writes the label file again."""
        rows = (f"{name} {label}\n" for name, label in zip(self._names, self.labels, strict=True))
        self._path.write_text("".join(rows), encoding="utf-8", newline="\n")


class AffectFiles:
    """AffectNet's pictures and its manually annotated lists."""

    _LISTS: Final = (("training.csv", "train"), ("validation.csv", "test"))
    _LABEL: Final = 6

    def __init__(self, raw: Path, name: str) -> None:
        self._folder = raw / "Manually_Annotated_file_lists"
        self._images = raw / "Manually_Annotated" / "Manually_Annotated_Images"
        self._heads: dict[str, str] = {}
        self._cells: list[list[str]] = []
        self.splits: list[str] = []
        for file, split in self._LISTS:
            text = (self._folder / file).read_text(encoding="utf-8")
            self._heads[split], *lines = text.splitlines()
            self._cells += [line.split(",") for line in lines]
            self.splits += [split] * len(lines)
        self._name = name

    @property
    def ids(self) -> list[str]:
        """As ingest names the pictures."""
        return [f"{self._name}/{row[0]}" for row in self._cells]

    @property
    def labels(self) -> list[str]:
        """The codes in the lists."""
        return [row[self._LABEL] for row in self._cells]

    def files(self, index: int) -> list[Path]:
        """The picture's one file."""
        return [self._images / self._cells[index][0]]

    def relabel(self, index: int, label: str) -> None:
        """Writes another code."""
        self._cells[index][self._LABEL] = label

    def copy(self, source: int, target: int) -> None:
        """Puts the source's picture, box and points in the target's place."""
        copyfile(self.files(source)[0], self.files(target)[0])
        self._cells[target][1:6] = self._cells[source][1:6]

    def save(self) -> None:
        """Writes both lists again."""
        for file, split in self._LISTS:
            rows = [
                ",".join(row)
                for row, place in zip(self._cells, self.splits, strict=True)
                if place == split
            ]
            text = "\n".join([self._heads[split], *rows]) + "\n"
            (self._folder / file).write_text(text, encoding="utf-8", newline="\n")


class JaffeFiles:
    """JAFFE's pictures, whose names are their labels."""

    def __init__(self, raw: Path, name: str) -> None:
        self._paths = sorted(raw.glob("*.tiff"))
        self.ids = [f"{name}/{path.stem}" for path in self._paths]
        self.splits = ["train"] * len(self._paths)

    def files(self, index: int) -> list[Path]:
        """The picture's one file."""
        return [self._paths[index]]

    def save(self) -> None:
        """Nothing is kept beside the files."""
