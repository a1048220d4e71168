"""`dvc repro`, sure against kills and quicker: `python -m flows.repro` takes the same words.

The same command of DVC's, except for how its dvc.lock is written: see flows/lockfile.py.
"""

import sys
from collections.abc import Sequence

from flows import lockfile


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command; exits with its status."""
    from dvc.cli import main as dvc

    lockfile.take_over()
    sys.exit(dvc(["repro", *(sys.argv[1:] if argv is None else argv)]))


if __name__ == "__main__":
    main()
