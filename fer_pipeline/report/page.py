"""The page: everything put into the template."""

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fer_pipeline.emotions import EMOTIONS, in_order
from fer_pipeline.report import comparisons, figures, overview, tables
from fer_pipeline.report.params import ReportParams
from fer_pipeline.report.pictures import Embedded, embed
from fer_pipeline.report.study import Run, Study

T = TypeVar("T")

SECTIONS = (
    ("results", "Results"),
    ("cross", "Across datasets"),
    ("tests", "Tests"),
    ("datasets", "Datasets"),
    ("curves", "Training"),
    ("searches", "Tuning, ablation"),
    ("confusion", "Confusions"),
    ("classes", "Emotions"),
    ("roc", "ROC"),
    ("grad-cam", "Grad-CAM"),
    ("methods", "Methods"),
)
"""Anchor and name of each section, in the page's order."""

REGIONS = ("eyes", "nose", "mouth", "border", "elsewhere")


def render(study: Study, settings: ReportParams) -> str:
    """The page as HTML; the same study gives the same bytes."""
    template = environment().get_template("page.html.j2")
    return template.render(
        title=settings.title,
        style=_style(),
        sections=[
            (anchor, name) for anchor, name in SECTIONS if anchor != "searches" or study.searches
        ],
        study=study,
        level=f"{study.confidence:.0%}".replace("%", " %"),
        facts=tables.overall(study),
        tested=sum(tables.test_items(study)),
        headings=tables.HEADLINE,
        headline=tables.headline(study),
        matrix=tables.matrix(study),
        cleaned=tables.cleaned(study),
        differences=study.differences and _embed(study.differences, settings),
        shared=overview.shared(study),
        ranks=study.ranks and _embed(study.ranks, settings),
        comparison=comparisons.told(study.comparison, study.across),
        unfinished=tables.unfinished(study),
        rated=tables.rated(study),
        data=overview.datasets(study),
        classes=overview.classes(study),
        protocols=overview.protocols(study),
        regions=REGIONS,
        looks=overview.looks(study, REGIONS),
        emotions=[(emotion, figures.colour(emotion)) for emotion in _emotions(study)],
        curves=_by_source(study, lambda run: (run, figures.curves(run))),
        confusions=_by_source(study, lambda run: (run, figures.confusion(run))),
        per_class=tables.per_class(study),
        rocs=_by_source(study, figures.roc),
        cams=_by_source(study, lambda run: (run, _embed(run.grid, settings))),
    )


def environment() -> Environment:
    """Jinja with the page's own filters; an undefined name is an error."""
    made = Environment(
        loader=PackageLoader("fer_pipeline.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "fixed": lambda value, digits=1: f"{value:.{digits}f}",
        "signed": _signed,
        "percent": lambda share: f"{round(share, tables.DIGITS) * 100:.1f}",
        "thousands": lambda count: f"{count:,}",
        "counted": lambda noun, count: noun if count == 1 else f"{noun}s",
    }
    return made


def _signed(value: float, digits: int = 1) -> str:
    # Adding zero turns a rounded -0.0 into 0.0.
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def _style() -> Markup:
    return Markup((files("fer_pipeline.report") / "page.css").read_text(encoding="utf-8"))


def _by_source(study: Study, made: Callable[[Run], T]) -> list[tuple[str, Sequence[T]]]:
    sources = dict.fromkeys(run.source for run in study.runs)
    return [
        (source, [made(run) for run in study.runs if run.source == source]) for source in sources
    ]


def _emotions(study: Study) -> Sequence[str]:
    return in_order(frozenset(row["emotion"] for run in study.runs for row in run.roc)) or EMOTIONS


def _embed(path: Path, settings: ReportParams) -> Embedded:
    return embed(path, settings.picture_width, settings.picture_quality)
