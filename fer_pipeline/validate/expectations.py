"""Expectations on whole tables that Great Expectations lacks. Importing this imports it: 3 s.

Both are metrics on the pandas engine and an expectation that judges the metric.
"""

from typing import Any, ClassVar

import pandas as pd
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import ExecutionEngine, PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from fer_pipeline.manifest import SPLITS


def _frame(engine: PandasExecutionEngine, domain: dict[str, Any]) -> pd.DataFrame:
    frame, _, _ = engine.get_compute_domain(domain, domain_type=MetricDomainTypes.TABLE)
    return frame


class GroupsWithSeveralValues(TableMetricProvider):
    """Groups of rows with more than one value of an attribute: how many, of how many, and ids."""

    metric_name = "table.groups_with_several_values"
    value_keys = ("group", "attribute")

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> dict[str, Any]:
        group, attribute = metric_value_kwargs["group"], metric_value_kwargs["attribute"]
        table = _frame(execution_engine, metric_domain_kwargs).dropna(subset=[group, attribute])
        values = table.groupby(group, sort=False)[attribute].nunique()
        several = values.index[values > 1]
        rows = table["id"][table[group].isin(several)]
        return {"groups": len(values), "several": len(several), "ids": rows.head(50).tolist()}


class ExpectGroupsToHaveOneValue(BatchExpectation):
    """Rows that share `group` also share `attribute`; nulls of either are left out."""

    group: str
    attribute: str

    metric_dependencies: ClassVar[tuple[str, ...]] = (GroupsWithSeveralValues.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("group", "attribute")
    args_keys: ClassVar[tuple[str, ...]] = ("group", "attribute")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        found = metrics[GroupsWithSeveralValues.metric_name]
        return {
            "success": found["several"] == 0,
            "result": {
                "observed_value": f"{found['several']:,} of {found['groups']:,}",
                "details": {"unexpected_count": found["several"], "ids": found["ids"]},
            },
        }


class RowsPerSplit(TableMetricProvider):
    """Rows of each split, all and usable ones."""

    metric_name = "table.rows_per_split"

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> dict[str, dict[str, int]]:
        table = _frame(execution_engine, metric_domain_kwargs)
        split = table["split"].fillna("none")
        chosen = {"all": split, "usable": split[table["usable"]]}
        return {
            kind: {str(name): int(count) for name, count in values.value_counts().items()}
            for kind, values in chosen.items()
        }


class ExpectSplitsToHaveShares(BatchExpectation):
    """Each of `splits` holds at least the share `min_share` of the rows."""

    splits: list[str]
    min_share: float

    metric_dependencies: ClassVar[tuple[str, ...]] = (RowsPerSplit.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("splits", "min_share")
    args_keys: ClassVar[tuple[str, ...]] = ("splits", "min_share")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        rows = metrics[RowsPerSplit.metric_name]["all"]
        needed = self.min_share * sum(rows.values())
        small = [split for split in self.splits if rows.get(split, 0) < max(needed, 1)]
        return {"success": not small, "result": _counted(rows, small)}


class ExpectOfficialCounts(BatchExpectation):
    """A whole set has its official rows per split, among all rows or among the usable ones.

    others   official counts of other layouts: a set that has just the splits of one of them may
             have its numbers instead

    A set with less than `complete_from` of the official rows is a part or a look-alike: it is not
    held to them.
    """

    counts: dict[str, int]
    others: list[dict[str, int]]
    tolerance: float
    complete_from: float

    metric_dependencies: ClassVar[tuple[str, ...]] = (RowsPerSplit.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("counts", "others", "tolerance", "complete_from")
    args_keys: ClassVar[tuple[str, ...]] = ("counts", "others", "tolerance", "complete_from")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        found = metrics[RowsPerSplit.metric_name]
        splits = {split for split, rows in found["all"].items() if rows}
        asked = [self.counts, *(counts for counts in self.others if counts.keys() == splits)]
        rows = sum(found["all"].values())
        whole = [one for one in asked if rows >= self.complete_from * sum(one.values())]
        tried = [
            (self._deviating(counted, counts), kind)
            for counts in whole or asked
            for kind, counted in found.items()
        ]
        wrong, best = min(tried, key=lambda pair: len(pair[0]))
        wrong = wrong if whole else []
        return {"success": not wrong, "result": _counted(found[best], wrong, bool(whole))}

    def _deviating(self, rows: dict[str, int], counts: dict[str, int]) -> list[str]:
        return [
            split
            for split, official in counts.items()
            if abs(rows.get(split, 0) - official) > self.tolerance * official
        ]


def _counted(rows: dict[str, int], wrong: list[str], whole: bool = True) -> dict[str, Any]:
    order = [split for split in (*SPLITS, "none") if split in rows]
    text = "has " + (", ".join(f"{split} {rows[split]:,}" for split in order) or "no rows")
    return {
        "observed_value": text if whole else f"{text} (not the whole set)",
        "details": {"unexpected_count": len(wrong), "ids": wrong},
    }
