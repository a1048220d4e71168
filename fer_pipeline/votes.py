"""What ten raters' votes on one face say: its majority, and the label targets that keep more.

Votes are ten numbers: `EMOTIONS` in their order, then "unknown", then "not a face". The last two
may be left out and count as none.

Source: Barsoum et al., "Training deep networks for facial expression recognition with crowd-sourced
label distribution", ICMI 2016, arXiv:1608.01041; microsoft/FERPlus, src/ferplus.py,
`_process_data` and `load_folders`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from fer_pipeline.emotions import EMOTIONS

UNKNOWN: Final = "unknown"
NOT_A_FACE: Final = "NF"
NAMES: Final = (*EMOTIONS, UNKNOWN, NOT_A_FACE)

_CLASSES: Final = len(EMOTIONS)


def majority(votes: Sequence[float] | np.ndarray) -> str | None:
    """The one of `NAMES` with more than half of the votes, single votes put aside; None: no one."""
    kept = _without_singles(votes)
    top = int(kept.argmax())
    return NAMES[top] if kept[top] > kept.sum() / 2 else None


def probability(votes: Sequence[float] | np.ndarray) -> np.ndarray | None:
    """(8,) float32 over `EMOTIONS`, sum 1; None where the votes are scattered or for no emotion.

    Single votes are put aside; then the most voted names are taken, equals together, until they
    hold three quarters of the votes, three are taken, or it is the turn of "unknown" or "not a
    face". None when those taken hold no more than half of the votes, or are more than three.
    """
    kept = _without_singles(votes)
    total, taken, seen = kept.sum(), np.zeros(len(NAMES)), 0.0
    while seen < 0.75 * total and np.count_nonzero(taken) < 3:
        best = np.flatnonzero(kept == kept.max())
        no_emotion = best[best >= _CLASSES][:1]
        best = np.concatenate([best[best < _CLASSES], no_emotion])
        taken[best], seen = kept[best], seen + kept[best].sum()
        kept[best] = 0
        if no_emotion.size:
            if np.count_nonzero(taken) > 1:
                taken[no_emotion] = 0
            break
    if np.count_nonzero(taken) > 3:
        return None
    return _shares(taken, total)


def multi_target(votes: Sequence[float] | np.ndarray) -> np.ndarray | None:
    """(8,) float32 of 1 for each of `EMOTIONS` with at least 30 % of the votes, else 0; None where
    these hold no more than half of the votes, or the most voted name is no emotion.

    Single votes are put aside first.
    """
    kept = _without_singles(votes)
    total = kept.sum()
    shares = _shares(np.where(kept >= 0.3 * total, kept, 0), total)
    return None if shares is None else (shares > 0).astype(np.float32)


def from_row(votes: Sequence[float] | np.ndarray, attributes: Mapping[str, str]) -> np.ndarray:
    """(10,) float64: the `votes` column of a table and the two counts that stand in its
    attributes as `votes_unknown` and `votes_NF` (0 where absent).
    """
    rest = [float(attributes.get(f"votes_{name}", 0)) for name in (UNKNOWN, NOT_A_FACE)]
    return np.concatenate([np.asarray(votes, np.float64), rest])


def _without_singles(votes: Sequence[float] | np.ndarray) -> np.ndarray:
    given = np.asarray(votes, np.float64)
    if given.shape not in ((_CLASSES,), (len(NAMES),)):
        raise ValueError(f"votes must be {_CLASSES} or {len(NAMES)} numbers, not {given.shape}")
    kept = np.zeros(len(NAMES))
    kept[: given.size] = np.where(given > 1, given, 0)
    return kept


def _shares(taken: np.ndarray, total: float) -> np.ndarray | None:
    if taken.sum() <= total / 2 or taken.argmax() >= _CLASSES:
        return None
    emotions = taken[:_CLASSES]
    return (emotions / emotions.sum()).astype(np.float32)
