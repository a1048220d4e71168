"""Views of test pictures."""

import numpy as np
import pytest
import torch

from fer_pipeline.evaluate.views import views


def ramp(side=48):
    """A picture whose values say where they lie."""
    line = torch.arange(side, dtype=torch.float32)
    return (100 * line[:, None] + line).expand(2, 1, side, side).clone()


def test_flip_is_the_picture_and_its_mirror_image():
    found = list(views(ramp(), "flip"))
    assert len(found) == 2
    assert torch.equal(found[0], ramp())
    assert torch.equal(found[1], ramp().flip(-1))


def test_ten_crops_are_corners_and_middle_and_their_mirror_images():
    found = list(views(ramp(), "ten_crop"))
    assert [view.shape for view in found] == [(2, 1, 48, 48)] * 10
    # 44 of 48 rows and columns, from corners and middle; enlarged, ends stay ends.
    starts = [float(view[0, 0, 0, 0]) for view in found[::2]]
    assert starts == pytest.approx([0, 4, 400, 404, 202], abs=0.1)
    for plain, mirrored in zip(found[::2], found[1::2], strict=True):
        assert torch.equal(mirrored, plain.flip(-1))


def test_frames_of_a_clip_are_seen_alike():
    clip = torch.randn(3, 5, 1, 32, 32)
    for whole, *frames in zip(
        views(clip, "ten_crop"),
        *(views(clip[:, frame], "ten_crop") for frame in range(5)),
        strict=True,
    ):
        np.testing.assert_allclose(whole, torch.stack(frames, dim=1))
