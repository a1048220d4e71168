"""The `ingest` section of params.yaml."""

from typing import Literal

from pydantic import Field

from fer_pipeline.params import Section


class IngestParams(Section):
    """How raw sets are read."""

    row_group: int = Field(
        2048, ge=64, le=65536, description="rows per Parquet row group; bounds the memory used"
    )
    official_counts: Literal["report", "require"] = Field(
        "report",
        description="report: a part of a set is fine, and said to be one; "
        "require: stop unless the set has its official number of rows",
    )
