"""Automations on the server: a run failed, a run is stuck, a run is lost, a result fell.

`python -m flows.alerts --webhook URL` makes them, or brings them up to date, on the server of
PREFECT_API_URL. Without a webhook they are only recorded in the server's feed of events.
"""

import argparse
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from prefect.automations import Automation
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import (
    ActionTypes,
    CancelFlowRun,
    ChangeFlowRunState,
    DoNothing,
    SendNotification,
)
from prefect.events.schemas.automations import EventTrigger, Posture

BLOCK: Final = "fer-alerts"

TAGGED: Final = {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.fer"}
"""Runs of this project's deployments; prefect.yaml tags them."""

ENDS: Final = {
    f"prefect.flow-run.{state}" for state in ("Completed", "Cached", "Failed", "Cancelled")
}
"""Events are named after the name of a state, and a run with nothing to do ends `Cached`."""

BROKEN: Final = {f"prefect.flow-run.{state}" for state in ("Failed", "Crashed", "TimedOut")}

HEARTBEAT: Final = "prefect.flow-run.heartbeat"
"""Every half a minute from each deployed run; prefect.yaml asks for it."""

RUN: Final = "{{ flow.name }} / {{ flow_run.name }}: {{ flow_run.state.message }}"
LOST: Final = "no sign of life: its worker or its machine is gone; run it again to go on"
DROP: Final = (
    "{{ event.payload.name }}: accuracy {{ event.payload.after }}, "
    "before {{ event.payload.before }}"
)


def main(argv: Sequence[str] | None = None) -> None:
    """Makes the automations, says which."""
    parser = argparse.ArgumentParser(prog="python -m flows.alerts", description=__doc__)
    parser.add_argument("--webhook", help="takes a POST of {'text': ...}: Slack, Mattermost, Teams")
    parser.add_argument(
        "--stuck-after", type=float, default=12.0, metavar="HOURS", help="default: 12"
    )
    parser.add_argument("--cancel-stuck", action="store_true", help="cancels a stuck run as well")
    parser.add_argument(
        "--lost-after",
        type=float,
        default=5.0,
        metavar="MINUTES",
        help="without a sign of life, then a run counts as crashed; default: 5",
    )
    asked = parser.parse_args(argv)
    stuck, lost = timedelta(hours=asked.stuck_after), timedelta(minutes=asked.lost_after)
    for one in wanted(asked.webhook, stuck, lost, asked.cancel_stuck):
        make(one)
        print(f"automation '{one.name}': {one.description}")


def wanted(
    webhook: str | None, stuck: timedelta, lost: timedelta, cancel: bool
) -> list[Automation]:
    """The four automations, as they should be."""
    block = _block(webhook) if webhook else None
    return [
        Automation(
            name="fer: run failed",
            description="a deployed run failed, crashed or ran past its time",
            trigger=EventTrigger(expect=BROKEN, **_runs()),
            actions=_actions(block, "fer-pipeline: a run failed", RUN),
        ),
        Automation(
            name="fer: run stuck",
            description=f"a deployed run has not ended {stuck} after it began",
            trigger=EventTrigger(
                after={"prefect.flow-run.Running"},
                expect=ENDS | BROKEN,
                posture=Posture.Proactive,
                within=stuck,
                for_each={"prefect.resource.id"},
                **_runs(),
            ),
            actions=_actions(block, "fer-pipeline: a run is stuck", RUN, cancel),
        ),
        Automation(
            name="fer: run lost",
            description=f"a deployed run gave no sign of life for {lost}: it counts as crashed",
            trigger=EventTrigger(
                after={HEARTBEAT},
                expect={HEARTBEAT} | ENDS | BROKEN,
                posture=Posture.Proactive,
                within=lost,
                for_each={"prefect.resource.id"},
                **_runs(),
            ),
            actions=[
                ChangeFlowRunState(state=StateType.CRASHED, name=None, message=LOST, force=False)
            ],
        ),
        Automation(
            name="fer: result fell",
            description="a run's result is lower than the accepted one by more than its alert_drop",
            trigger=EventTrigger(
                expect={"fer.metric.dropped"}, match={"prefect.resource.id": "fer.metric.*"}
            ),
            actions=_actions(block, "fer-pipeline: a result fell", DROP),
        ),
    ]


def make(one: Automation) -> None:
    """Creates the automation, or updates the one of its name."""
    with get_client(sync_client=True) as client:
        found = client.read_automations_by_name(one.name)
    if not found:
        one.create()
        return
    one.id = found[0].id
    one.update()


def _runs() -> dict[str, Any]:
    return {"match": {"prefect.resource.id": "prefect.flow-run.*"}, "match_related": TAGGED}


def _actions(block: Any, subject: str, body: str, cancel: bool = False) -> list[ActionTypes]:
    told: ActionTypes = DoNothing()
    if block is not None:
        told = SendNotification(block_document_id=block, subject=subject, body=body)
    return [told, *([CancelFlowRun()] if cancel else [])]


def _block(url: str) -> Any:
    hook = CustomWebhookNotificationBlock(
        name=BLOCK,
        url=url,
        json_data={"text": "{{subject}}\n{{body}}"},
        headers=None,
        cookies=None,
    )
    return hook.save(BLOCK, overwrite=True)


if __name__ == "__main__":
    main()
