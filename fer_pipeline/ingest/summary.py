"""What was found, counted while it streams by, and compared with the official counts."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.images import VIDEOS
from fer_pipeline.manifest import SPLITS, STATUSES

NO_SPLIT: Final = "all"
"""How rows of a set without official splits are counted."""
NO_EMOTION: Final = "none"
SEQUENCES: Final = "sequences"
"""Key of an official number of clips, where that of frames is not known."""

Counts = Mapping[str, Mapping[str, int]]


class Summary:
    """Counts of rows, added one at a time.

    left_out   files that make no row, POSIX, below the raw folder
    """

    def __init__(self, dataset: str, layout: str) -> None:
        self.dataset, self.layout, self.rows = dataset, layout, 0
        self.left_out: list[str] = []
        self._sequences: set[str] = set()
        self._cells: Counter[tuple[str, str]] = Counter()
        self._status: Counter[str] = Counter()
        self._source: Counter[str] = Counter()

    def add(self, row: Mapping[str, Any]) -> None:
        """Counts a SAMPLES row."""
        self.rows += 1
        self._cells[row["split"] or NO_SPLIT, row["emotion"] or NO_EMOTION] += 1
        self._status[row["status"]] += 1
        self._source[_source(row)] += 1
        if row["sequence"] is not None:
            self._sequences.add(row["sequence"])

    def splits(self) -> dict[str, dict[str, int]]:
        """Rows per split and emotion (`none` without one), in their usual orders, no zeros."""
        table = {}
        for split in (*SPLITS, NO_SPLIT):
            cells = {name: self._cells[split, name] for name in (*EMOTIONS, NO_EMOTION)}
            if any(cells.values()):
                table[split] = {name: count for name, count in cells.items() if count}
        return table

    def statuses(self) -> dict[str, int]:
        """Rows per status, no zeros."""
        return {status: self._status[status] for status in STATUSES if self._status[status]}

    def official(self, counts: Mapping[str, int], per_class: Counts) -> str:
        """`complete`, `n of m rows`, `deviates: ...` naming the first cell, or `no counts`.

        counts     official rows per split (`all`: of a set without splits), or `sequences` alone;
                   {} when there are none
        per_class  official rows per split and emotion, as far as known
        """
        if not counts:
            return "no counts"
        total = sum(counts.values())
        unit, have = ("rows", self.rows)
        if SEQUENCES in counts:
            unit, have = SEQUENCES, len(self._sequences)
        if have != total:
            return f"{have} of {total} {unit}"
        found = {split: sum(cells.values()) for split, cells in self.splits().items()}
        for split, expected in counts.items():
            if split != SEQUENCES and found.get(split, 0) != expected:
                return f"deviates: {split} has {found.get(split, 0)} rows, officially {expected}"
        return self._classes(per_class) or "complete"

    def _classes(self, per_class: Counts) -> str | None:
        for split, cells in self.splits().items():
            if cells.keys() == {NO_EMOTION}:
                continue  # published without its labels
            for emotion, expected in per_class.get(split, {}).items():
                count = cells.get(emotion, 0)
                if count != expected:
                    return f"deviates: {split} has {count} {emotion}, officially {expected}"
        return None

    def metrics(self, official: str) -> dict[str, Any]:
        """All of it, for the metrics file."""
        return {
            "layout": self.layout,
            "official": official,
            "rows": self.rows,
            "read": dict(sorted(self._source.items())),
            **({"left_out": len(self.left_out)} if self.left_out else {}),
            "status": self.statuses(),
            "split": {
                split: {"rows": sum(cells.values()), **cells}
                for split, cells in self.splits().items()
            },
        }

    def text(self, official: str) -> str:
        """All of it, for people."""
        read = ", ".join(
            f"{count:,} {source.replace('_', ' ')}"
            for source, count in sorted(self._source.items())
        )
        statuses = ", ".join(f"{name} {count:,}" for name, count in self.statuses().items())
        return "\n".join(
            [
                f"{self.dataset}: layout {self.layout}, {self.rows:,} rows ({read})",
                f"official counts: {official}",
                f"status: {statuses or 'no rows'}",
                *self._left_out(),
                *self._table(),
            ]
        )

    def _left_out(self) -> list[str]:
        if not self.left_out:
            return []
        count, first = len(self.left_out), self.left_out[0]
        return [f"left out: {count:,} files that are no pictures by their names, such as {first}"]

    def _table(self) -> list[str]:
        table = self.splits()
        names = [n for n in (*EMOTIONS, NO_EMOTION) if any(n in cells for cells in table.values())]
        lines = [["split", *names, "rows"]]
        for split, cells in table.items():
            counts = [f"{cells.get(name, 0):,}" for name in names]
            lines.append([split, *counts, f"{sum(cells.values()):,}"])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return [
            "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
            for line in lines
        ]


def _source(row: Mapping[str, Any]) -> str:
    """Where the row's picture is read from, a key of the metrics."""
    if row["image"] is not None:
        return "pictures_embedded"
    path = row["path"]
    if path is None:
        return "without_a_picture"
    return "video_frames" if path.lower().endswith(VIDEOS) else "picture_files"
