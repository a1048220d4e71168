"""Portraits of a whole set, drawn by several processes in an order that does not depend on them."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

import cv2
from tqdm import tqdm

from fer_pipeline import memory
from fer_pipeline.portraits import Portrait
from fer_pipeline.sample.shots import Shot, take

_BATCH = 16
"""Frames per task: enough to hide the cost of passing a task on."""


def portraits(shots: Sequence[Shot], workers: int, title: str) -> Iterator[Portrait]:
    """The portraits of all shots, in their order; progress is shown on stderr."""
    total = sum(shot.frames for shot in shots)
    with tqdm(total=total, desc=title, unit="face", mininterval=1) as bar:
        for batch in _batches(shots, workers):
            for portrait in batch:
                bar.update()
                yield portrait


def _batches(shots: Sequence[Shot], workers: int) -> Iterator[list[Portrait]]:
    if workers == 1:
        _settle()
        yield from (take(shot) for shot in shots)
        return
    # Workers start afresh: forking a process whose libraries run threads can hang.
    with ProcessPoolExecutor(workers, get_context("spawn"), _settle) as pool:
        waiting: deque[Future[list[Portrait]]] = deque()
        # No more than a few batches exist at a time, so that memory does not grow with the set.
        for group in _grouped(shots):
            waiting.append(pool.submit(_take_all, group))
            if len(waiting) > 3 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _grouped(shots: Sequence[Shot]) -> Iterator[list[Shot]]:
    group: list[Shot] = []
    for shot in shots:
        group.append(shot)
        if sum(member.frames for member in group) >= _BATCH:
            yield group
            group = []
    if group:
        yield group


def _take_all(shots: list[Shot]) -> list[Portrait]:
    return [portrait for shot in shots for portrait in take(shot)]


def _settle() -> None:
    memory.keep_freed()
    # One process per core already; OpenCV's own threads would fight over the same cores.
    cv2.setNumThreads(1)
