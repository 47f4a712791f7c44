"""Sets a unit's focus: one metric at a time, and at most five key indicators; starter sets help to begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from core.write_errors import ConflictError, FieldError
from insights.catalogue.declarations import Metric
from orgtree.access.access import Access
from programs.benchmarks.queries.benchmarks import newest_focus
from programs.benchmarks.services.fields import FocusWriteSerializer, checked, offered_metrics
from programs.models import FocusVersion
from programs.requests.visible import account_of
from programs.teams.fields import unit_to_write_for

CONFLICT = "Somebody changed the focus in the meantime."


def set_focus(
    access: Access, given: Mapping[str, Any], *, of_number: int, starter_set: str = "", at: datetime | None = None
) -> FocusVersion:
    """Adds a version after `of_number` (0: none yet); `at` backdates it.

    `given` has the fields of the API.  A version equal to the current one is rejected.  Raises FieldError,
    MayNotWriteError, ConflictError.
    """
    account = account_of(access)
    fields = checked(FocusWriteSerializer, access, given)
    unit_id = fields["unit"].pk if fields["unit"] else None
    newest = newest_focus(unit_id)
    if (newest.number if newest else 0) != of_number:
        raise ConflictError(CONFLICT, newest)
    if (newest.metric if newest else "", newest.indicators if newest else []) == (
        fields["metric"],
        fields["indicators"],
    ):
        raise FieldError("metric", "Nothing changed.")
    try:
        with transaction.atomic():
            return FocusVersion.objects.create(
                **fields,
                number=of_number + 1,
                starter_set=starter_set,
                written_by=account,
                **({"written_at": at} if at else {}),
            )
    except IntegrityError:  # somebody stored the same number at the same moment
        raise ConflictError(CONFLICT, newest_focus(unit_id)) from None


def begin_with(access: Access, slug: str, unit: str, *, of_number: int) -> FocusVersion:
    """Replaces the key indicators with those of a starter set; the focus metric stays.  Raises as `set_focus`."""
    led = unit_to_write_for(unit, access.visibility, "Benchmarks")
    chosen = STARTER_SETS.get(slug)
    if chosen is None:
        raise FieldError("starter_set", f"One of: {', '.join(STARTER_SETS)}.")
    newest = newest_focus(led.pk if led else None)
    given = {
        "unit": unit,
        "metric": newest.metric if newest else "",
        "indicators": [metric.key for metric in chosen.metrics],
        "reason": f"Started with the starter set {chosen.name}.",
    }
    return set_focus(access, given, of_number=of_number, starter_set=slug)


@dataclass(frozen=True)
class StarterSet:
    slug: str
    name: str
    why: str
    keys: tuple[str, ...]

    @property
    def metrics(self) -> list[Metric]:
        """The set's metrics that exist, in order."""
        by_key = {metric.key: metric for metric in offered_metrics()}
        return [by_key[key] for key in self.keys if key in by_key]


_ALL = (
    StarterSet(
        "dora",
        "DORA",
        "How fast and how safely changes reach users: the four keys with rework. Trading one off against another "
        "becomes visible.",
        (
            "dora.deployment_frequency",
            "dora.lead_time",
            "dora.change_failure_rate",
            "dora.recovery_time",
            "dora.rework_rate",
        ),
    ),
    StarterSet(
        "space",
        "SPACE",
        "Four of the five dimensions of the framework, at least one indicator of each: performance, activity, "
        "communication, and efficiency and flow. Satisfaction comes from surveys, not from measurement.",
        (
            "dora.change_failure_rate",
            "work.features_per_week",
            "pr.pickup_time",
            "pr.review_depth",
            "pr.cycle_time",
        ),
    ),
    StarterSet(
        "ai",
        "AI adoption",
        "How far coding agents are adopted, whether their code is kept, and whether it lasts.",
        ("ai.adoption_rate", "ai.ship_rate", "ai.committed_code_share", "pr.review_time", "dora.change_failure_rate"),
    ),
    StarterSet(
        "hygiene",
        "Review hygiene",
        "Small pull requests, linked to work and reviewed soon: the basis of lead time and quality.",
        ("pr.size", "pr.pickup_time", "pr.unreviewed_rate", "pr.linked_rate", "ci.success_rate"),
    ),
)
STARTER_SETS: Mapping[str, StarterSet] = {starter_set.slug: starter_set for starter_set in _ALL}
