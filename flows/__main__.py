"""`python -m flows`: the study here and now, with a server of its own where none is named."""

import argparse
import atexit
import os
import sys
from collections.abc import Sequence

from fer_pipeline.errors import one_line
from flows import server
from flows.host import HOST


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the flow; exits 1 when a stage failed."""
    asked = _arguments(argv)
    with one_line():
        # Both take seconds, and nothing here has to wait for them yet.
        up = None if server.named() else server.Temporary()
        HOST.load()
        if up is not None:
            # Ends after Prefect, imported later, has sent its last lines at this process's end.
            atexit.register(up.end)
            os.environ[server.URL] = up.url
        from flows.study import study

        if up is not None:
            up.wait()
        state = study(**vars(asked), return_state=True)
    print(state.message)
    sys.exit(0 if state.is_completed() else 1)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m flows",
        description="Runs what has changed of the pipeline, independent stages side by side. "
        "Cancel it or kill it at any time: no process stays, and the next run goes on.",
    )
    parser.add_argument("targets", nargs="*", help="stages or groups; none: the whole graph")
    parser.add_argument(
        "-S",
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY=VALUE",
        help="a changed parameter; may be given several times",
    )
    parser.add_argument("--profile", default="", help="a file of params/ in place of params.yaml")
    parser.add_argument("--experiment", default="", help="name to save the result under")
    parser.add_argument("--force", action="store_true", help="run unchanged stages as well")
    parser.add_argument(
        "--mode", choices=("local", "cluster"), default="local", help="cluster: on workers"
    )
    parser.add_argument("--max-parallel", type=int, default=2, help="stages at once")
    parser.add_argument(
        "--fail-fast",
        action="store_false",
        dest="keep_going",
        help="start nothing after a failure",
    )
    parser.add_argument("--wait", type=float, default=0.0, help="seconds, for another study here")
    parser.add_argument(
        "--alert-drop", type=float, default=0.02, help="fall of an accuracy that makes an event"
    )
    parser.add_argument("--root", default="", help="the repository; none: this one")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
