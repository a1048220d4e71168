"""`dvc repro`, sure against kills and quicker: `python -m flows.repro` takes the same words.

The same command of DVC's, except for how its dvc.lock is written: see flows/lockfile.py. With
`--jobs N` stages that do not need each other run side by side; then it takes targets and --force.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fer_pipeline.errors import PipelineError, one_line
from flows import lockfile


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command; exits with its status."""
    words = [*(sys.argv[1:] if argv is None else argv)]
    if any(word.startswith(("-j", "--jobs")) for word in words):
        sys.exit(_side_by_side(words))
    if {"-h", "--help"} & {*words}:
        # DVC's own follows, which knows nothing of --jobs.
        print(__doc__)
    from dvc.cli import main as dvc

    lockfile.take_over()
    status = dvc(["repro", *words])
    if status:
        _name_missing()
    sys.exit(status)


def _side_by_side(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m flows.repro", description=__doc__)
    parser.add_argument("targets", nargs="*", help="stages or groups; none: the whole graph")
    parser.add_argument("-j", "--jobs", type=_count, required=True, help="stages at once")
    parser.add_argument("-f", "--force", action="store_true", help="run unchanged stages as well")
    asked = parser.parse_args(words)
    with one_line():
        # DVC loads beside the imports here.
        from flows.host import HOST

        HOST.load()
        from flows import jobs

        if jobs.run(Path.cwd(), asked.targets, asked.jobs, asked.force):
            return 0
        _name_missing()
        return 1


def _name_missing() -> None:
    from flows import raws

    # Parameters that cannot be read were told as what failed.
    with suppress(PipelineError):
        for line in raws.missing(Path.cwd()):
            print(line, file=sys.stderr)


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} stages at once; give 1 or more")
    return count


if __name__ == "__main__":
    main()
