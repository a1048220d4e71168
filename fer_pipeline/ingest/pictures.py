"""The picture of a sample, each file opened once; videos are decoded forward, never per frame."""

from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from fer_pipeline import images
from fer_pipeline.errors import BadImage
from fer_pipeline.manifest import Sample


class Pictures:
    """Reads pictures below `raw`; samples of one video should come in the order of its frames."""

    def __init__(self, raw: Path) -> None:
        self._raw = raw
        self._path: str | None = None
        self._video: cv2.VideoCapture | None = None
        self._index = -1
        self._frame: np.ndarray | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def read(self, sample: Sample) -> np.ndarray:
        """The upright picture: (H, W) gray or (H, W, 3) RGB uint8.

        Raises: BadImage with the reason.
        """
        if sample.pixels is not None:
            return sample.pixels
        if sample.path is None:
            raise BadImage("the set names no picture file for it")
        if Path(sample.path).suffix.lower() in images.VIDEOS:
            return images.apply_view(self._video_frame(sample.path, sample.frame), sample.view)
        return images.read(self._raw, {"path": sample.path, "view": sample.view})

    def _video_frame(self, path: str, index: int | None) -> np.ndarray:
        if index is None:
            raise BadImage("a video, but the set names no frame of it")
        if path != self._path or index < self._index or self._video is None:
            self._open(path)
        while self._index < index:
            good, frame = self._video.read() if self._video else (False, None)
            if not good:
                raise BadImage(f"frame {index} cannot be read from this video")
            self._index, self._frame = self._index + 1, frame
        if self._frame is None:
            raise BadImage(f"frame {index} cannot be read from this video")
        return cv2.cvtColor(self._frame, cv2.COLOR_BGR2RGB)

    def _open(self, path: str) -> None:
        self._close()
        if not (self._raw / path).is_file():
            raise BadImage("cannot be opened: No such file or directory")
        self._path, self._video = path, cv2.VideoCapture(str(self._raw / path))

    def _close(self) -> None:
        if self._video is not None:
            self._video.release()
        self._path, self._video, self._index, self._frame = None, None, -1, None
