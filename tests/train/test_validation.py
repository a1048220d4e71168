"""Answers to the validation rows."""

import numpy as np
import pytest
import torch

from fer_pipeline.errors import OutOfMemory
from fer_pipeline.train import validation
from fer_pipeline.train.parallel import Ranks


def forward_of(most, sizes):
    def forward(rows):
        sizes.append(len(rows))
        if len(rows) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch.from_numpy(np.stack([rows, 2 * rows], axis=1))

    return forward


def test_rows_are_answered_in_chunks_and_in_order():
    sizes = []
    found = validation.outputs(forward_of(256, sizes), 600)
    assert sizes == [200, 200, 200]
    assert found.dtype == torch.float32
    assert found[:, 1].tolist() == [2.0 * row for row in range(600)]


def test_out_of_memory_halves_the_rows_at_once(capsys):
    sizes = []
    found = validation.outputs(forward_of(70, sizes), 400)
    assert found[:, 0].tolist() == list(range(400))
    assert sizes == [200, 100, 50, 50, 50, 50, 50, 50, 50, 50], "it is not tried again"
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "out of memory with 200 pictures to validate; going on with 100"
    assert len(told) == 2


def test_memory_for_no_picture_ends_it():
    with pytest.raises(OutOfMemory, match="not even one picture"):
        validation.outputs(forward_of(0, []), 3)


def test_a_process_answers_its_share(monkeypatch):
    monkeypatch.setattr(Ranks, "add", lambda self, values: values)
    parts = [validation.outputs(forward_of(256, []), 700, Ranks(rank, 2)) for rank in (0, 1)]
    assert sum(parts)[:, 0].tolist() == list(range(700))
