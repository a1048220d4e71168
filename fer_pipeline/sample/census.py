"""Counts what passes on its way from the generator to a dataset's layout."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.portraits import Portrait


class Census:
    """How many pictures, people and clips there are, by emotion and split."""

    def __init__(self) -> None:
        self._images = 0
        self._subjects: set[str] = set()
        self._clips: set[tuple[str, int]] = set()
        self._emotions: Counter[str] = Counter()
        self._splits: Counter[str] = Counter()

    def watch(self, portraits: Iterable[Portrait]) -> Iterator[Portrait]:
        """The same portraits, counted."""
        for portrait in portraits:
            self._images += 1
            self._subjects.add(portrait.subject)
            if portrait.sequence is not None:
                self._clips.add((portrait.subject, portrait.sequence))
            self._emotions[portrait.emotion] += 1
            self._splits[portrait.split or "none"] += 1
            yield portrait

    def result(self, planted: Mapping[str, list[str]]) -> dict[str, Any]:
        """Counts, and what was planted: fault -> how many, and the ids struck."""
        pairs = ("duplicate", "conflict")
        return {
            "images": self._images,
            "subjects": len(self._subjects),
            "clips": len(self._clips),
            "emotions": {name: self._emotions[name] for name in EMOTIONS if self._emotions[name]},
            "splits": dict(sorted(self._splits.items())),
            "faults": {
                kind: len(ids) // 2 if kind in pairs else len(ids) for kind, ids in planted.items()
            },
            "planted": {kind: list(ids) for kind, ids in planted.items()},
        }
