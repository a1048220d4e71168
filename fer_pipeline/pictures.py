"""Pictures below one folder, read row after row: a video is decoded forward, never per frame."""

from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from fer_pipeline import images
from fer_pipeline.errors import BadImage


class Pictures:
    """Reads pictures below `raw`; holds the last video open, so it is a context manager.

    Frames asked for in their order cost one decoding of the video; a step back starts it anew.
    """

    def __init__(self, raw: Path) -> None:
        self._raw = raw
        self._path: str | None = None
        self._video: cv2.VideoCapture | None = None
        self._next = 0
        self._last: np.ndarray | None = None

    def read(self, path: str, frame: int | None = None, view: str | None = None) -> np.ndarray:
        """The upright picture: (H, W) gray or (H, W, 3) RGB uint8; of a video, frame `frame`.

        Raises: BadImage with the reason.
        """
        if not path.lower().endswith(images.VIDEOS):
            return images.read(self._raw, {"path": path, "view": view})
        if frame is None:
            raise BadImage("a video, but no frame of it is named")
        return images.apply_view(self._frame(path, frame), view)

    def _frame(self, path: str, index: int) -> np.ndarray:
        if path == self._path and index == self._next - 1 and self._last is not None:
            return self._last
        if path != self._path or index < self._next or self._video is None:
            video = self._open(path)
        else:
            video = self._video
        self._last = None
        while self._next <= index:
            if not video.grab():
                raise BadImage(f"frame {index} cannot be read: the video has {self._next}")
            self._next += 1
        good, frame = video.retrieve()
        if not good:
            raise BadImage(f"frame {index} cannot be decoded from this video")
        self._last = pixels = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        return pixels

    def _open(self, path: str) -> cv2.VideoCapture:
        self._close()
        if not (self._raw / path).is_file():
            raise BadImage("cannot be opened: No such file or directory")
        self._path, self._video = path, cv2.VideoCapture(str(self._raw / path))
        return self._video

    def _close(self) -> None:
        if self._video is not None:
            self._video.release()
        self._path, self._video, self._next, self._last = None, None, 0, None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
