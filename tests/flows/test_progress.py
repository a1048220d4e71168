"""Progress as the stages and DVC really print it."""

import io

import pytest
from tqdm import tqdm

from flows import progress
from flows.progress import Progress


def bar(count, total, **options):
    """The last state of a real bar."""
    text = io.StringIO()
    with tqdm(total=total, file=text, mininterval=0, ncols=80, **options) as shown:
        shown.update(count)
        shown.refresh()
        states = text.getvalue().split("\r")
    return states[-1].rstrip()


def test_an_epoch_is_a_share():
    assert progress.of("epoch 1/0") == Progress(0.0, "epoch 1 of 0")
    line = "epoch  16/30  loss 1.2469  val loss 1.3952  val accuracy 0.5030  macro F1 0.3838"
    assert progress.of(line) == Progress(16 / 30, "epoch 16 of 30")
    assert not progress.is_bar(line)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({}, ""),
        ({"desc": "detect mtcnn", "unit": "row"}, "detect mtcnn"),
        ({"desc": "cnn on a, repeat 0", "postfix": {"loss": 1.5}}, "cnn on a, repeat 0"),
        ({"desc": "big", "unit_scale": True}, "big"),
    ],
)
def test_a_bar_is_a_share(options, what):
    line = bar(25000, 100000, **options)
    assert progress.is_bar(line), line
    assert progress.of(line) == Progress(0.25, what)


def test_a_bar_without_an_end_is_no_share():
    line = bar(7, None, desc="ingest a", unit=" rows")
    assert progress.is_bar(line), line
    assert progress.of(line) is None


@pytest.mark.parametrize("line", ["", "50% of rows", "loss 1.0 | 3/4", "error: a/b [c] is missing"])
def test_other_lines_are_none(line):
    assert progress.of(line) is None
    assert not progress.is_bar(line)
