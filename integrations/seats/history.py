"""What was changed of a seat plan and of who has its seats: when, by whom, and to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import Model

from integrations.models import SeatPlan
from orgtree.dated_rows_admin import words_of
from orgtree.models import Identity

CHANGES_SHOWN = 100


@dataclass(frozen=True)
class SeatChange:
    at: datetime
    words: str
    by: str


def history_of(plan: SeatPlan) -> Sequence[SeatChange]:
    """The latest changes of the plan and of its assignments, the latest first."""
    plans = _events("SeatPlanEvent").filter(pgh_obj_id=plan.pk)
    assignments = _events("SeatAssignmentEvent").filter(plan_id=plan.pk)
    found = [*plans.order_by("-pgh_id")[:CHANGES_SHOWN], *assignments.order_by("-pgh_id")[:CHANGES_SHOWN]]
    found.sort(key=lambda event: event.pgh_created_at, reverse=True)
    shown = found[:CHANGES_SHOWN]
    names = dict(
        Identity.objects.filter(
            pk__in={event.identity_id for event in shown if hasattr(event, "identity_id")}
        ).values_list("pk", "value")
    )
    accounts = {str(account.pk): account.get_username() for account in User.objects.filter(pk__in=_accounts(shown))}
    return [SeatChange(event.pgh_created_at, _words(event, names), _by(event, accounts)) for event in shown]


def _events(name: str) -> Any:
    """Rows of a history, which django-pghistory makes of the model."""
    return apps.get_model("integrations", name)._default_manager.select_related("pgh_context")


def _words(event: Any, names: Mapping[int, str]) -> str:
    act, days = event.pgh_label, words_of(event.during)
    if hasattr(event, "identity_id"):
        return f"seat of {names.get(event.identity_id, 'somebody who was removed')} {act}, {days}"
    seats = f", {event.seats:,} seats" if event.seats is not None else ""
    return f"plan {act}: ${event.monthly_price:,.2f} a month{seats}, {days}"


def _user(event: Model) -> str:
    context = getattr(event, "pgh_context", None)
    return str((context.metadata or {}).get("user") or "") if context else ""


def _accounts(events: Sequence[Model]) -> set[str]:
    return {user for user in map(_user, events) if user.isdecimal()}


def _by(event: Model, accounts: Mapping[str, str]) -> str:
    return accounts.get(_user(event), "an import or a command")
