"""Data docs of one set: a summary, and a page per suite in Great Expectations' own rendering.

GX's site builder links fifteen files of other hosts and writes run times into its pages and paths.
Here its renderers fill pages of this project's own, so that the folder is readable offline and the
same data give the same bytes.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_pipeline.outputs import atomic, write_text
from fer_pipeline.validate import pages
from fer_pipeline.validate.dataset import Report
from fer_pipeline.validate.running import Outcome, named

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult

WORDS = {"ok": "ok", "warn": "warn", "bad": "FAIL"}


def write(folder: Path, report: Report) -> None:
    """Writes `index.html` and `<suite>.html` for each suite that ran; all or nothing."""
    with atomic(folder) as part:
        part.mkdir()
        write_text(part / "index.html", index(report))
        for result in report.results:
            title = f"{report.dataset}: {result.suite_name}"
            write_text(part / f"{result.suite_name}.html", suite(title, result))


def index(report: Report) -> str:
    """The summary as HTML: verdict, counts, unused rows, and every expectation."""
    import jinja2

    reasons: list[tuple[str, str]] = []
    if report.leaks is not None:
        counts = report.leaks["drop"].dropna().value_counts()
        reasons = [(why, f"{counts[why]:,}") for why in sorted(counts.index)]
    suites = [result.suite_name for result in report.results]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(pages.INDEX).render(
        title=f"{report.dataset}: data validation",
        style=_style(),
        lead="What the tables of this set were asked, and what was found.",
        suites=suites,
        verdict=_verdict(report),
        facts=[(name.replace("_", " "), _number(value)) for name, value in report.facts.items()],
        reasons=reasons,
        tables=[(suite, _rows(report.outcomes, suite)) for suite in suites],
        words=WORDS,
    )


def suite(title: str, result: "ExpectationSuiteValidationResult") -> str:
    """A suite's results as HTML, by GX's renderers, without what differs from run to run."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

    document = ValidationResultsPageRenderer().render(result).to_json_dict()
    # The first section holds run times and ids; the summary page says the rest of it.
    sections = document["sections"][1:]
    html: str = _view().render({"sections": sections, "title": title, "style": _style()})
    return "\n".join(line.rstrip() for line in html.splitlines() if line.strip()) + "\n"


def _view() -> Any:
    from great_expectations.render.view import DefaultJinjaPageView

    class View(DefaultJinjaPageView):
        """GX's blocks in a page of this project's, with numbers where GX puts random ids."""

        made = 0

        def _validate_document(self, document: Any) -> None:
            pass

        def _get_template(self, template_str: str) -> Any:
            page = template_str == self._template
            return (
                self.env.from_string(pages.SUITE) if page else super()._get_template(template_str)
            )

        def generate_html_element_uuid(self, prefix: str | None = None) -> str:
            self.made += 1
            return f"{prefix or ''}{self.made}"

    return View()


def _style() -> Any:
    import markupsafe

    return markupsafe.Markup(pages.STYLE)


def _verdict(report: Report) -> tuple[str, str]:
    hard, soft = report.failed("hard"), report.failed("soft")
    total = len(report.outcomes)
    if hard:
        names = ", ".join(one.name for one in hard)
        return "bad", f"Stops the run: {len(hard)} of {total} expectations failed hard ({names})"
    if soft:
        return "warn", f"Usable, with {len(soft)} warnings out of {total} expectations"
    return "ok", f"All {total} expectations are met"


def _rows(outcomes: list[Outcome], suite: str) -> list[tuple[Outcome, str, str]]:
    bad = {"hard": "bad", "soft": "warn"}
    return [
        (one, "ok" if one.passed else bad[one.severity], named(one, len(one.rows)))
        for one in outcomes
        if one.suite == suite
    ]


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.1%}"
