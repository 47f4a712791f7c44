"""History of a seat plan and its assignments: times, authors and values of changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User

from core.authorship import account_of
from core.dated_rows_admin import words_of
from integrations.models import SeatPlan
from orgtree.access.who_sees import names_of
from orgtree.models import Identity

CHANGES_SHOWN = 100
BY_IMPORT = "an import or a command"
GONE = "a removed account"


@dataclass(frozen=True)
class SeatChange:
    at: datetime
    words: str
    by: str


def history_of(plan: SeatPlan) -> Sequence[SeatChange]:
    """The latest changes of the plan and of its assignments, newest first."""
    plans = _events("SeatPlanEvent").filter(pgh_obj_id=plan.pk)
    assignments = _events("SeatAssignmentEvent").filter(plan_id=plan.pk)
    events = [*plans.order_by("-pgh_id")[:CHANGES_SHOWN], *assignments.order_by("-pgh_id")[:CHANGES_SHOWN]]
    events.sort(key=lambda event: event.pgh_created_at, reverse=True)
    shown = events[:CHANGES_SHOWN]
    holders = {event.identity_id for event in shown if hasattr(event, "identity_id")}
    emails = dict(Identity.objects.filter(pk__in=holders).values_list("pk", "value"))
    accounts = {account for account in map(account_of, shown) if account is not None}
    names = names_of(list(User.objects.filter(pk__in=accounts)))
    return [SeatChange(event.pgh_created_at, _words(event, emails), _by(event, names)) for event in shown]


def _events(name: str) -> Any:
    """Rows of an event model of django-pghistory."""
    return apps.get_model("integrations", name)._default_manager.select_related("pgh_context")


def _words(event: Any, emails: Mapping[int, str]) -> str:
    act, days = event.pgh_label, words_of(event.during)
    if hasattr(event, "identity_id"):
        return f"seat of {emails.get(event.identity_id, GONE)} {act}, {days}"
    seats = f", {event.seats:,} seats" if event.seats is not None else ""
    return f"plan {act}: ${event.monthly_price:,.2f} a month{seats}, {days}"


def _by(event: Any, names: Mapping[int, str]) -> str:
    account = account_of(event)
    return BY_IMPORT if account is None else names.get(account, GONE)
