"""What the bootstrap draws: test items, or the persons whom they show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fer_pipeline import intervals
from fer_pipeline.evaluate.scores import Answers


@dataclass(frozen=True)
class Units:
    """The items of a target, and who is in them.

    truth    (items,) class of each; owner: (items,) number of its person
    persons  how many persons there are where one has several items, else None
    strata   what is drawn with one another. Frames of a clip and pictures of a person are alike, so
             where a person has several items, persons are drawn, each with all items (the cluster
             bootstrap), within their fold. Else items are, within their class and fold. Either
             comes with all its repeats. Source: Davison & Hinkley 1997, section 3.8.
    """

    truth: np.ndarray
    owner: np.ndarray
    persons: int | None
    strata: list[np.ndarray]

    @classmethod
    def of(cls, answers: Mapping[int, Answers]) -> "Units":
        """The units of a target from the answers of each repeat."""
        count = 1 + max(int(mine.item.max()) for mine in answers.values())
        truth, owner = np.zeros(count, int), np.zeros(count, int)
        seen: list[tuple[int, ...]] = [()] * count
        for repeat, mine in answers.items():
            truth[mine.item], owner[mine.item] = mine.truth, mine.person
            for item in mine.item.tolist():
                seen[item] = (*seen[item], repeat)
        known, owner = np.unique(owner, return_inverse=True)
        if len(known) == count:
            strata = intervals.groups(list(zip(truth.tolist(), seen, strict=True)))
            return cls(truth, np.arange(count), None, strata)
        tested = [owner[mine.item] for mine in answers.values()]
        return cls(truth, owner, len(known), intervals.person_strata(tested))

    @property
    def items(self) -> int:
        """How many distinct items there are."""
        return len(self.truth)

    def weights(self, resamples: int, seed: int) -> Iterator[np.ndarray]:
        """How often each item is drawn in each resample, (resamples, items) float32 in chunks."""
        for chunk in intervals.bootstrap_weights(self.strata, resamples, seed, self.items):
            yield chunk if self.persons is None else chunk[:, self.owner]

    def drawn(self, mine: Answers, weights: np.ndarray) -> np.ndarray:
        """What share of a repeat's units was drawn in each resample, (B,) float64."""
        _, first = np.unique(self.owner[mine.item], return_index=True)
        share: np.ndarray = weights[:, mine.item[first]].mean(axis=1, dtype=np.float64)
        return share
