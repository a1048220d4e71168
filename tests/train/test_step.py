"""One step: micro-batches, memory, sharpness, clipping."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from fer_pipeline.errors import OutOfMemory
from fer_pipeline.train.parallel import Ranks
from fer_pipeline.train.params import TrainParams
from fer_pipeline.train.step import Stepper, ascend, descend

INPUTS = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
TRUTH = torch.arange(12) % 3


def network(dropout=0.0):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 3))


def stepper(model, micro=12, **changes):
    settings = TrainParams(lr=0.1, momentum=0, weight_decay=0, **changes)
    optimiser = torch.optim.SGD(model.parameters(), settings.lr)
    return Stepper(model, optimiser, settings, None, micro)


def short_of_memory():
    raise torch.OutOfMemoryError("CUDA out of memory")


def short_of_the_hosts():
    torch.empty(1 << 52)


def passes_of(model, most=12, sizes=None, fail=short_of_memory):
    def passes(part):
        if sizes is not None:
            sizes.append(len(part))
        logits = model(INPUTS[part])
        if len(part) > most:
            fail()
        return logits, nn.functional.cross_entropy(logits, TRUTH[part], reduction="none")

    return passes


def test_micro_batches_move_the_weights_as_the_whole_batch():
    whole, parts = network(), network()
    stepper(whole).step(12, 12, passes_of(whole))
    sizes = []
    logits, losses = stepper(parts, micro=5).step(12, 12, passes_of(parts, sizes=sizes))
    assert sizes == [4, 4, 4]
    assert logits.shape == (12, 3)
    assert losses.shape == (12,)
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("fail", [short_of_memory, short_of_the_hosts])
def test_out_of_memory_halves_the_micro_batch_and_keeps_the_step(capsys, fail):
    expected, model = network(0.5), network(0.5)
    torch.manual_seed(1)
    stepper(expected, micro=3).step(12, 12, passes_of(expected))
    sizes, short = [], stepper(model)
    torch.manual_seed(1)
    short.step(12, 12, passes_of(model, most=4, sizes=sizes, fail=fail))
    assert sizes == [12, 6, 3, 3, 3, 3]
    assert short.micro == 3
    for one, other in zip(expected.parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other)
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "out of memory with 12 pictures at once; going on with 6",
        "out of memory with 6 pictures at once; going on with 3",
    ]
    sizes.clear()
    short.step(12, 12, passes_of(model, most=4, sizes=sizes))
    assert sizes == [3, 3, 3, 3], "it is not tried again"


def test_other_errors_are_none_of_memory():
    def fail():
        raise RuntimeError("shapes do not match")

    model = network()
    with pytest.raises(RuntimeError, match="shapes do not match"):
        stepper(model).step(12, 12, passes_of(model, most=4, fail=fail))


def test_a_failed_attempt_leaves_no_statistics():
    def normed():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))

    expected, model = normed(), normed()
    stepper(expected, micro=3).step(12, 12, passes_of(expected))
    stepper(model).step(12, 12, passes_of(model, most=4))
    for name, value in expected.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_a_gpu_draws_the_same_again(monkeypatch):
    states, model = [torch.arange(3)], network()
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: states[-1])
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", states.append)
    stepper(model).step(12, 12, passes_of(model, most=6))
    assert len(states) == 2
    assert states[1] is states[0]


@pytest.mark.parametrize("micro", [1, 2])
@pytest.mark.parametrize(("count", "sizes"), [(5, [3, 2]), (3, [3]), (2, [2]), (7, [3, 2, 2])])
def test_no_micro_batch_is_of_one_picture(micro, count, sizes):
    model, found = network(), []
    stepper(model, micro=micro).step(count, count, passes_of(model, sizes=found))
    assert found == sizes


def test_all_processes_cut_a_batch_into_as_many_parts(monkeypatch):
    monkeypatch.setattr(Ranks, "add_gradients", lambda self, model: None)
    cuts = []
    for rank, count in ((0, 4), (1, 3)):
        model, found = network(), []
        one = stepper(model, micro=2)
        one.ranks = Ranks(rank, 2)
        one.step(count, 7, passes_of(model, sizes=found))
        cuts.append(found)
    assert cuts == [[4], [3]], "two and two here would be two and one there"


def test_memory_for_less_than_two_pictures_ends_it():
    model = network()
    with pytest.raises(OutOfMemory, match="not even 2 pictures"):
        stepper(model).step(12, 12, passes_of(model, most=1))


def test_sharpness_aware_steps_follow_the_gradient_at_the_moved_weights():
    model, rho = network(), 0.05
    mine = copy.deepcopy(model)
    stepper(model, sam=rho).step(12, 12, passes_of(model))
    nn.functional.cross_entropy(mine(INPUTS), TRUTH).backward()
    gradients = [value.grad.clone() for value in mine.parameters()]
    norm = torch.sqrt(sum((g**2).sum() for g in gradients))
    start = [value.detach().clone() for value in mine.parameters()]
    with torch.no_grad():
        for value, gradient in zip(mine.parameters(), gradients, strict=True):
            value += rho * gradient / norm
    mine.zero_grad()
    nn.functional.cross_entropy(mine(INPUTS), TRUTH).backward()
    for value, old, moved in zip(model.parameters(), start, mine.parameters(), strict=True):
        torch.testing.assert_close(value.detach(), old - 0.1 * moved.grad)


def test_statistics_count_the_first_pass_alone():
    plain = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
    sharp = copy.deepcopy(plain)
    stepper(plain).step(12, 12, passes_of(plain))
    stepper(sharp, sam=0.5).step(12, 12, passes_of(sharp))
    assert torch.equal(plain[1].running_mean, sharp[1].running_mean)
    assert sharp[1].momentum == plain[1].momentum


def test_there_and_back():
    model = network()
    start = [value.detach().clone() for value in model.parameters()]
    nn.functional.cross_entropy(model(INPUTS), TRUTH).backward()
    moved = ascend(model.parameters(), 0.3)
    length = sum(
        ((value - old) ** 2).sum() for value, old in zip(model.parameters(), start, strict=True)
    )
    assert length.sqrt().item() == pytest.approx(0.3, rel=1e-5)
    descend(moved)
    assert all(torch.equal(v, old) for v, old in zip(model.parameters(), start, strict=True))


def test_clipping_bounds_the_step():
    model = network()
    start = np.concatenate([v.detach().numpy().ravel().copy() for v in model.parameters()])
    stepper(model, clip=0.01).step(12, 12, passes_of(model))
    end = np.concatenate([v.detach().numpy().ravel() for v in model.parameters()])
    assert np.linalg.norm(end - start) == pytest.approx(0.1 * 0.01, rel=1e-3)
