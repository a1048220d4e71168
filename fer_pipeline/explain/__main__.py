"""`python -m fer_pipeline.explain`: where one trained model looks."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_pipeline.errors import one_line
from fer_pipeline.explain.params import ExplainParams
from fer_pipeline.explain.regions import REGIONS
from fer_pipeline.outputs import atomic, write_json
from fer_pipeline.params import keys, section


def main(argv: Sequence[str] | None = None) -> None:
    """Writes the Grad-CAM grid, and the shares of heat per face region: all, and the main ones."""
    given = _arguments(argv)
    with one_line():
        params = section(ExplainParams, given.params, "explain")
        from fer_pipeline.explain.explanation import explain
        from fer_pipeline.explain.grid import save
        from fer_pipeline.explain.shares import headline

        numbers, sheet = explain(
            given.model,
            given.source,
            given.checkpoints / "0",
            given.faces,
            given.predictions,
            params,
        )
        with atomic(given.plots) as part:
            save(sheet, part)
        write_json(given.heat, numbers)
        write_json(given.metrics, headline(numbers))
        print(_summary(f"{given.model} on {given.source}", numbers))


def _summary(name: str, numbers: dict[str, Any]) -> str:
    head = f"explain {name}: {numbers['images']} test pictures, {numbers['wrong']} of them wrong"
    lines = [head, "share of heat".ljust(16) + "".join(region.rjust(11) for region in REGIONS)]
    rows = {"(area)": numbers["area"], **numbers["shares"]}
    for row, values in rows.items():
        cells = "".join(f"{values[region]:11.1%}" for region in REGIONS)
        lines.append(f"  {row}".ljust(16) + cells)
    return "\n".join(lines)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="fer explain",
        description=__doc__,
        epilog=keys(ExplainParams),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", required=True, help="file of fer_pipeline/models")
    parser.add_argument("--source", required=True, help="dataset it was trained on")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder of repeats")
    parser.add_argument("--faces", type=Path, required=True, help="faces of the source")
    parser.add_argument("--predictions", type=Path, required=True, help="table of evaluate")
    parser.add_argument("--heat", type=Path, required=True, help="all shares, JSON to write")
    parser.add_argument("--metrics", type=Path, required=True, help="main shares, JSON to write")
    parser.add_argument("--plots", type=Path, required=True, help="PNG to write")
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), help="params.yaml by default"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
