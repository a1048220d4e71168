"""`python -m fer_pipeline.sample`: one dataset's synthetic sample, in its native layout."""

import argparse
from pathlib import Path
from typing import Any

from fer_pipeline import errors, outputs, params
from fer_pipeline.sample.layout import draw_sheet, make
from fer_pipeline.sample.params import SampleParams


def main(argv: list[str] | None = None) -> None:
    """Makes the sample, its census and its contact sheet."""
    parser = argparse.ArgumentParser(
        prog="fer sample",
        description=__doc__,
        epilog=params.keys(SampleParams),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dataset", required=True, help="name of a look, sample/looks.py")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--metrics", type=Path, required=True, help="counts to write, JSON")
    parser.add_argument("--sheet", type=Path, required=True, help="contact sheet to write, PNG")
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), help="params.yaml by default"
    )
    asked = parser.parse_args(argv)
    with errors.one_line():
        own = (params.read(asked.params).get("samples") or {}).get(asked.dataset)
        chosen = params.section(SampleParams, asked.params, "sample", own)
        counts, shown = make(
            asked.dataset, asked.out, chosen.seed, chosen.scale, chosen.workers, chosen.faults
        )
        draw_sheet(asked.dataset, asked.sheet, shown, counts)
        outputs.write_json(asked.metrics, counts)
        print(summary(asked.dataset, counts))


def summary(dataset: str, counts: dict[str, Any]) -> str:
    """A few aligned lines for the console."""
    clips = f" in {counts['clips']} clips" if counts["clips"] else ""
    lines = [f"{dataset}: {counts['images']} pictures of {counts['subjects']} people{clips}"]
    for title in ("splits", "emotions", "faults"):
        listed = ", ".join(f"{name} {count}" for name, count in counts[title].items())
        lines.append(f"  {title:<9} {listed or 'none'}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
