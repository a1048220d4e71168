"""The groups by which tests that share a server or a study are kept in one process."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="runs in a single process")
@pytest.mark.xdist_group("groups")
def test_a_group_is_known_to_the_distribution(request):
    # Without it every process would start servers and studies of its own.
    assert request.node.nodeid.endswith("@groups")
