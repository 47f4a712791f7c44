"""Hand-kept metrics as tests define and enter them, through the services."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth.models import User

from integrations.hand_kept.definitions import define_metric
from integrations.hand_kept.values import VIA_PAGE, Outcome, checked_entry, enter_values
from integrations.models import HandKeptMetric
from orgtree.access.access import access_of
from orgtree.models import Unit
from tests.personas import ADMIN, Persona, create_user

SATISFACTION = {
    "slug": "customer_satisfaction",
    "name": "Customer satisfaction",
    "meaning": "Share of customers who say that they are satisfied.",
    "unit_of_measure": "percent",
    "better": "higher",
    "valid_days": 62,
}
KEY = "hand.customer_satisfaction"


def define(*, by: Persona = ADMIN, **fields: Any) -> HandKeptMetric:
    """SATISFACTION, with other `fields`."""
    return define_metric(access_of(create_user(by)), {**SATISFACTION, **fields})


def enter(metric: HandKeptMetric, unit: str, on: str, value: float, *, note: str = "", by: Persona = ADMIN) -> Outcome:
    """`unit` is a slug, empty for the whole organisation."""
    account: User = create_user(by)
    of_unit = Unit.objects.get(slug=unit) if unit else None
    entry = checked_entry(metric, of_unit, date.fromisoformat(on), value, note)
    [outcome] = enter_values(access_of(account), [entry], via=VIA_PAGE)
    return outcome
