"""Runs suites with Great Expectations: in memory, silent, nothing sent, nothing left behind."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

from fer_pipeline.validate.params import Name

# Read by GX when it makes a context; set before it is imported, to be off by construction.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.expectations.expectation import Expectation

NAMED: Final = 20
"""Rows that a result names; the data docs show them all."""


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation.

    severity    hard or soft
    unexpected  rows, groups or classes against it; 0 does not follow from `passed`, since some
                expectations allow a few
    observed    what was seen, for people
    rows        ids of the first NAMED rows (or names of splits or classes) against it
    """

    suite: str
    name: str
    sentence: str
    severity: str
    passed: bool
    unexpected: int
    observed: str
    rows: tuple[str, ...]


def context() -> "EphemeralDataContext":
    """A GX context in memory without analytics and progress bars."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def run(
    made: "EphemeralDataContext",
    name: str,
    frame: "pd.DataFrame",
    expectations: "Sequence[Expectation]",
) -> "ExpectationSuiteValidationResult":
    """The suite's result on the frame, which has a column `id`; rows are named by it.

    Raises: RuntimeError when an expectation could not be evaluated at all, which is a bug.
    """
    import great_expectations as gx

    source = made.data_sources.add_pandas(name)
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
    suite = made.suites.add(gx.ExpectationSuite(name=name, expectations=list(expectations)))
    definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
    found = made.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": frame},
        result_format={
            "result_format": "SUMMARY",
            "unexpected_index_column_names": ["id"],
            "partial_unexpected_count": NAMED,
        },
    )
    for result in found.results:
        if not result.success and not result.result:
            raise RuntimeError(f"{result.expectation_config}: {result.exception_info}")
    return found


def outcomes(found: "ExpectationSuiteValidationResult") -> list[Outcome]:
    """The results as plain values, in the order of `params.Name` (GX mixes them)."""
    plain = [_outcome(found.suite_name, result) for result in found.results]
    return sorted(plain, key=lambda one: get_args(Name).index(one.name))


def _outcome(suite: str, result: Any) -> Outcome:
    config = result.expectation_config
    unexpected, observed, rows = _counted(result.result, config.kwargs)
    return Outcome(
        suite=suite,
        name=config.meta["name"],
        sentence=config.description,
        severity="hard" if config.severity == "critical" else "soft",
        passed=bool(result.success),
        unexpected=unexpected,
        observed=observed,
        rows=tuple(str(row) for row in rows[:NAMED]),
    )


def _counted(result: dict[str, Any], asked: dict[str, Any]) -> tuple[int, str, list[Any]]:
    if "unexpected_count" in result:
        count, of = int(result["unexpected_count"]), int(result["element_count"])
        of -= int(result.get("missing_count", 0))
        rows = [row["id"] for row in result.get("partial_unexpected_index_list") or []]
        return count, f"{count:,} of {of:,} rows", rows
    if "unexpected_count" in result.get("details", {}):
        details = result["details"]
        return details["unexpected_count"], str(result["observed_value"]), details["ids"]
    if "partial_missing_list" in result:
        missing, of = int(result["missing_count"]), len(asked["value_set"])
        return missing, f"{missing} of {of} missing", sorted(result["partial_missing_list"])
    return 0, f"has {result['observed_value']:,} rows", []


def named(one: Outcome, limit: int) -> str:
    """The first rows against an expectation, and that there are more."""
    shown = one.rows[:limit]
    more = ", ..." if shown and one.unexpected > len(shown) else ""
    return ", ".join(shown) + more
