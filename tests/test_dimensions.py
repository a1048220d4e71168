"""Outputs of a network as logits and dimensions."""

import pytest
import torch

from fer_pipeline.dimensions import split


def test_without_dimensions_all_outputs_are_logits():
    outputs = torch.randn(3, 7)
    logits, values = split(outputs, ())
    assert logits is outputs
    assert values is None


def test_the_last_outputs_are_the_dimensions_in_their_ranges():
    outputs = torch.tensor([[1.0, 2.0, 50.0, -50.0, 0.0], [3.0, 4.0, 0.0, 0.5, -60.0]])
    logits, values = split(outputs, ("intensity", "valence", "arousal"))
    assert logits.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert values is not None
    assert values[0].tolist() == [1.0, -1.0, 0.0]
    assert values[1].tolist() == pytest.approx([0.5, 0.46212, -1.0], abs=1e-5)
