"""Ready-made targets of published improvement programmes."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86_400.0


@dataclass(frozen=True)
class ReadyMade:
    """`threshold` and `target` in the metric's unit; None where the programme names no such step."""

    key: str
    words: str
    threshold: float | None
    target: float | None


READY_MADE = (
    ReadyMade("pr.pickup_time", "A first review within two days.", 2 * DAY, None),
    ReadyMade("pr.review_time", "Reviewed within two days.", 2 * DAY, None),
    ReadyMade("sprint.scope_creep", "Scope creep below 35, then 25, then 15 %, over three quarters.", 35.0, 15.0),
    ReadyMade("ci.success_rate", "More than 80 % of pipelines succeed.", 80.0, None),
    ReadyMade("dora.change_failure_rate", "Less than 10 % of deployments fail users.", 10.0, None),
    ReadyMade("pr.linked_rate", "No pull request without a work item.", None, 100.0),
    ReadyMade("pr.unreviewed_rate", "No pull request is merged without a review.", None, 0.0),
)
"""Of keys that nothing measures yet none is offered.  “At least two thirds of pull requests small or medium” is left
out: no metric is that share."""


def ready_made_for(key: str) -> ReadyMade | None:
    return next((preset for preset in READY_MADE if preset.key == key), None)
