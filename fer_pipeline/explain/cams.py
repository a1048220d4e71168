"""Class activation maps of stills and clips, by the `grad-cam` package."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer_pipeline.images import Input, prepare

if TYPE_CHECKING:
    import torch

BATCH: Final = 32

METHODS: Final = {
    "gradcam": "GradCAM",
    "gradcam++": "GradCAMPlusPlus",
    "hirescam": "HiResCAM",
    "layercam": "LayerCAM",
    "xgradcam": "XGradCAM",
    "eigengradcam": "EigenGradCAM",
}
"""Name in params.yaml -> class in pytorch_grad_cam."""


def to_tensor(crops: Sequence[np.ndarray], contract: Input) -> "torch.Tensor":
    """Face crops as (N, channels, size, size) float32, normalised by the input contract."""
    import torch

    pixels = np.stack([prepare(crop, contract) for crop in crops]).astype(np.float32) / 255
    mean, std = np.asarray(contract.mean, np.float32), np.asarray(contract.std, np.float32)
    scaled = (pixels - mean) / std
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), np.float32))


def of_stills(
    model: Any, layer: Any, method: str, inputs: "torch.Tensor", classes: Sequence[int]
) -> np.ndarray:
    """(N, size, size) float32 heat in [0, 1]: what speaks for class `classes[i]` in picture i.

    Each map is scaled to its own maximum; one without any positive evidence is all zero.
    """
    parts = []
    for start in range(0, len(inputs), BATCH):
        chunk = slice(start, start + BATCH)
        parts.append(_maps(model, layer, method, inputs[chunk], classes[chunk]))
    return np.concatenate(parts)


def of_clip(
    model: Any, layer: Any, method: str, frames: "torch.Tensor", label: int, peak: int = -1
) -> np.ndarray:
    """(T, size, size) float32 heat in [0, 1] per frame of one clip: what speaks for class `label`.

    frames: (T, channels, size, size); peak: the frame at the expression's height, -1 where it is
    not known. Each frame's map is scaled to its own maximum; frames that a network never looks at
    have none.
    """
    maps = _maps(_as_clip(model, peak), layer, method, frames, [label])
    if len(maps) == len(frames):
        return maps
    heat = np.zeros((len(frames), *maps.shape[1:]), np.float32)
    heat[peak if peak >= 0 else len(frames) // 2] = maps[0]
    return heat


def _maps(
    model: Any, layer: Any, method: str, inputs: "torch.Tensor", classes: Sequence[int]
) -> np.ndarray:
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    targets = [ClassifierOutputTarget(label) for label in classes]
    # Not as a context manager: the package's swallows an IndexError and prints it.
    cam = getattr(pytorch_grad_cam, METHODS[method])(model=model, target_layers=[layer])
    try:
        return np.asarray(cam(input_tensor=inputs, targets=targets), np.float32)
    finally:
        cam.activations_and_grads.release()


def _as_clip(model: Any, peak: int) -> Any:
    """The clip model as one that takes a single clip's frames (T, C, H, W): to the package, whose
    maps are per row of the input, frames then look like a batch of pictures.
    """
    import torch

    class Clip(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            lengths = torch.tensor([len(frames)], dtype=torch.int64)
            result: torch.Tensor = self.model(frames[None], lengths, torch.tensor([peak]))
            return result

    return Clip().eval()
