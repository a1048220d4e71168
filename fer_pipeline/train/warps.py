"""The recipe of `augment` carried out on the device, a whole batch at once.

On a GPU the host's picture by picture would be the slower half of training. Interpolation is in
floats here and in 32nds of a pixel there: values differ by a gray level or two.
"""

import numpy as np
import torch

from fer_pipeline.train.augment import Recipe


def apply(pictures: torch.Tensor, draws: np.ndarray, recipe: Recipe) -> torch.Tensor:
    """Varied copies of (n, [frames,] size, size, channels) uint8 as (n, [frames,] C, s, s) float32.

    Values are whole, 0 to 255; s is the recipe's size. `draws` (n,) say which of the recipe's
    variations each picture gets; all frames of a clip are varied alike.
    """
    device = pictures.device
    frames = pictures.shape[1] if pictures.ndim == 5 else 1
    flat = pictures.movedim(-1, -3).float().reshape(-1, *_picture(pictures))
    found = _warped(
        flat, _inverse(recipe.matrix[draws], device).repeat_interleave(frames, 0), recipe
    )
    alpha, beta = (_each(values[draws], device, frames) for values in (recipe.alpha, recipe.beta))
    found = (found.round() * alpha + beta).clamp(0, 255).floor()
    holes = torch.from_numpy(recipe.hole[draws]).to(device).repeat_interleave(frames, 0)
    gray = _each(recipe.gray[draws].astype(np.float64), device, frames)
    found = torch.where(_inside(holes, recipe.size), gray, found)
    if pictures.ndim == 4:
        return found
    return found.reshape(len(pictures), frames, *found.shape[1:])


def _picture(pictures: torch.Tensor) -> tuple[int, int, int]:
    return pictures.shape[-1], pictures.shape[-3], pictures.shape[-2]


def _each(values: np.ndarray, device: torch.device, frames: int) -> torch.Tensor:
    found = torch.from_numpy(values).to(device, torch.float32)
    return found.repeat_interleave(frames, 0).view(-1, 1, 1, 1)


def _inverse(matrix: np.ndarray, device: torch.device) -> torch.Tensor:
    """(n, 2, 3) float32, pixel of the result -> pixel of the source."""
    turn = np.linalg.inv(matrix[:, :, :2])
    shift = -turn @ matrix[:, :, 2:]
    return torch.from_numpy(np.concatenate([turn, shift], axis=2)).to(device, torch.float32)


def _warped(flat: torch.Tensor, inverse: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    line = torch.arange(recipe.size, device=flat.device, dtype=torch.float32)
    down, right = torch.meshgrid(line, line, indexing="ij")
    places = torch.stack([right, down, torch.ones_like(down)], dim=-1)
    source = places.view(-1, 3) @ inverse.transpose(1, 2)
    # grid_sample counts from -1, the centre of the first pixel, to 1, that of the last.
    grid = source.view(-1, recipe.size, recipe.size, 2) * 2 / (flat.shape[-1] - 1) - 1
    return torch.nn.functional.grid_sample(
        flat, grid, mode="bilinear", padding_mode="border", align_corners=True
    )


def _inside(holes: torch.Tensor, size: int) -> torch.Tensor:
    """(n, 1, size, size) bool: whether a pixel lies in its picture's hole."""
    line = torch.arange(size, device=holes.device)
    x0, y0, x1, y1 = (holes[:, column, None] for column in range(4))
    across, down = (line >= x0) & (line < x1), (line >= y0) & (line < y1)
    return (down[:, :, None] & across[:, None, :])[:, None]
