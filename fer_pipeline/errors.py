"""The errors a user can cause or cure. Anything else that is raised is a bug."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches


class PipelineError(Exception):
    """Parent of all: its message says what is wrong, where, and what to do about it."""


class MissingData(PipelineError):
    """A dataset, file or column that a stage needs is not there."""


class BadManifest(PipelineError):
    """A table does not fit its schema, or its rows contradict each other."""


class BadParams(PipelineError):
    """params.yaml holds an unknown key or a value out of bounds."""


class UnknownName(PipelineError):
    """A dataset, detector, model or emotion that does not exist was asked for."""


class BadImage(PipelineError):
    """A picture that cannot be read; the row that names it carries the reason."""


class BadRaw(PipelineError):
    """A raw dataset's files contradict their documented layout."""


class FailedValidation(PipelineError):
    """A hard expectation of the validate stage was not met."""


class Diverged(PipelineError):
    """Training reached a loss that is not finite."""


class OutOfMemory(PipelineError):
    """Not even the smallest part of a batch fits into the device's memory."""


def nearest(name: str, known: Sequence[str]) -> str:
    """``did you mean 'x'? `` for the closest known name, else an empty string."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'? " if close else ""


@contextmanager
def one_line() -> Iterator[None]:
    """Turns a `PipelineError` into one line on stderr and exit status 2; the rest passes."""
    try:
        yield
    except PipelineError as error:
        text = " ".join(str(error).split())
        print(f"error: {text}", file=sys.stderr)
        raise SystemExit(2) from None
