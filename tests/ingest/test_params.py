"""The section's bounds."""

import pytest

from fer_pipeline import params
from fer_pipeline.errors import BadParams
from fer_pipeline.ingest.params import IngestParams


def test_an_empty_section_is_complete():
    assert params.check(IngestParams, {}, "ingest") == IngestParams()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"row_groups": 5}, "did you mean 'row_group'"),
        ({"row_group": 1}, "greater than or equal to 64"),
        ({"official_counts": "maybe"}, "'report' or 'require'"),
    ],
)
def test_bad_values_are_refused(values, complaint):
    with pytest.raises(BadParams, match=complaint):
        params.check(IngestParams, values, "ingest")
