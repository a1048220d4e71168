"""Several views of one test picture, whose mean answer is reported apart from the plain one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import torch

Kind = Literal["flip", "ten_crop"]

SHARE: Final = 11 / 12
"""Side of a crop of ten_crop, as a share of the picture's: 44 of 48 px.

Source: Khaireddin & Chen, "Facial emotion recognition: state of the art performance on FER2013",
arXiv 2105.03588, 2021, as the field's FER2013 projects crop.
"""


def views(x: "torch.Tensor", kind: Kind) -> Iterator["torch.Tensor"]:
    """Views of (..., C, S, S) pictures, of the same shape; of a clip all frames are seen alike.

    flip: the picture and its mirror image; ten_crop: four corners and the middle, each with its
    mirror image, enlarged to the picture's side.
    """
    if kind == "flip":
        yield x
        yield x.flip(-1)
        return
    side = x.shape[-1]
    small = round(side * SHARE)
    middle = (side - small) // 2
    last = side - small
    for top, left in ((0, 0), (0, last), (last, 0), (last, last), (middle, middle)):
        crop = _enlarged(x[..., top : top + small, left : left + small], side)
        yield crop
        yield crop.flip(-1)


def _enlarged(crop: "torch.Tensor", side: int) -> "torch.Tensor":
    import torch

    flat = crop.reshape(-1, *crop.shape[-3:])
    large = torch.nn.functional.interpolate(
        flat, size=(side, side), mode="bilinear", align_corners=False
    )
    return large.reshape(*crop.shape[:-2], side, side)
