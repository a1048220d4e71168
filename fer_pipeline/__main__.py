"""The `fer` command: `fer STAGE ...` is `python -m fer_pipeline.STAGE ...`."""

import ast
import sys
from pathlib import Path
from runpy import run_module

from fer_pipeline.errors import UnknownName, nearest, one_line

ROOMS = Path(__file__).parent


def rooms() -> dict[str, str]:
    """Each room that has a command, in alphabetical order, with its one-line purpose."""
    found = {}
    for entry in sorted(ROOMS.glob("*/__main__.py")):
        docstring = ast.get_docstring(ast.parse(entry.with_name("__init__.py").read_text("utf-8")))
        found[entry.parent.name] = (docstring or "").splitlines()[0]
    return found


def main(argv: list[str] | None = None) -> None:
    """Runs the room named by the first argument; alone or with --help, lists the rooms."""
    arguments = sys.argv[1:] if argv is None else argv
    with one_line():
        known = rooms()
        if not arguments or arguments[0] in ("-h", "--help"):
            width = max(map(len, known))
            print("usage: fer STAGE [options]      options of a stage: fer STAGE --help\n")
            print("\n".join(f"  {name:<{width}}  {purpose}" for name, purpose in known.items()))
            return
        stage, *rest = arguments
        if stage not in known:
            hint = nearest(stage, list(known))
            raise UnknownName(f"no stage '{stage}'; {hint}known: {', '.join(known)}")
        sys.argv = [f"fer {stage}", *rest]
        run_module(f"fer_pipeline.{stage}", run_name="__main__")


if __name__ == "__main__":
    main()
