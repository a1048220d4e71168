"""Schedules over a new deployment: what people switched on or added stays."""

from collections.abc import Mapping
from typing import Any

from prefect.client.orchestration import SyncPrefectClient

Schedules = Mapping[str, list[Any]]
"""Deployment -> its schedules, as the server tells them."""


def known(client: SyncPrefectClient) -> Schedules:
    """The schedules of all deployments."""
    return {one.name: list(one.schedules) for one in client.read_deployments()}


def restore(client: SyncPrefectClient, before: Schedules) -> None:
    """Puts back what deploying prefect.yaml anew took away.

    A schedule of that file, known by its slug, is as active as it was; one without a slug was added
    by somebody, and is made again where it is gone.
    """
    for deployment in client.read_deployments():
        now = {one.slug: one for one in deployment.schedules if one.slug}
        there = [one.schedule for one in deployment.schedules]
        for old in before.get(deployment.name, []):
            same = now.get(old.slug) if old.slug else None
            if same is not None and same.active != old.active:
                client.update_deployment_schedule(deployment.id, same.id, active=old.active)
            if not old.slug and old.schedule not in there:
                client.create_deployment_schedules(deployment.id, [(old.schedule, old.active)])
