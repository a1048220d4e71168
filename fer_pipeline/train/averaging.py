"""Exponential moving average of a model's weights and of its normalisation statistics."""

import copy

import torch
from torch import nn


class Average:
    """A second model whose state trails the first one's.

    The decay grows from 0.1 to its set value, min(decay, (1 + t) / (10 + t)), so that early
    steps are forgotten soon. Source: TensorFlow's ExponentialMovingAverage with num_updates.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval()
        for value in self.model.parameters():
            value.requires_grad_(False)
        self._decay, self.steps = decay, 0
        pairs = list(zip(self._values(self.model), self._values(model), strict=True))
        self._floats = [pair for pair in pairs if pair[0].is_floating_point()]
        self._others = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Moves one step towards the model's present state."""
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        averages, present = zip(*self._floats, strict=True)
        torch._foreach_lerp_(list(averages), list(present), 1 - decay)
        for average, value in self._others:
            average.copy_(value)

    @staticmethod
    def _values(model: nn.Module) -> list[torch.Tensor]:
        return [value.detach() for value in (*model.parameters(), *model.buffers())]
