"""The demo's capitalisation: an initiative that is eligible from a date, one that was until it shipped, and one that is
not; a frozen quarter with a restatement, and a draft of the quarter that runs.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import User

from core.write_errors import FieldError
from demo.load.personas import PERSONAS
from demo.plan.year import DemoYear
from insights.query.windows import quarter_of
from integrations.models import WorkItem
from orgtree.access.access import access_of
from programs.budgets.queries.months import written
from programs.capitalisation.services.writing import (
    add_evidence,
    add_period,
    approve_period,
    change_evidence,
    freeze_period,
)
from programs.models import CapitalisationPeriod, Uncertainty

PILOT = "The pilot shops run on it, and it is on the plan of the year."
CORRECTED = timedelta(weeks=3)  # the shipped epic was ready earlier than was entered at first
RATES = {"currency": "EUR", "hourly_rate": "85", "dollar_rate": "0.92"}
SETTLED = {"uncertainty": Uncertainty.NONE.value, "probable_by": "Dale Director", "probable_because": PILOT}


def write_demo_capitalisation(year: DemoYear, *, today: date) -> None:
    """Periods and evidence; existing ones stay, so a second call changes nothing."""
    if year.flavour.is_quiet or CapitalisationPeriod.objects.exists():
        return
    keys = dict(WorkItem.objects.filter(native_type__icontains="epic").values_list("title", "key"))
    running = quarter_of(today)
    last = quarter_of(running.start - timedelta(days=1))
    evidence: dict[str, dict[str, Any]] = {
        "One-page checkout": {**_known(last.start + timedelta(days=30)), **SETTLED},
        "Express payment": {**_known(last.start - timedelta(days=60)), **SETTLED, "ready_on": last.end.isoformat()},
        "Environments on request": {
            **_known(last.start + timedelta(days=14)),
            "uncertainty": Uncertainty.OPEN.value,
            **{"probable_since": None, "probable_by": "", "probable_because": ""},
        },
    }
    accounts = {persona.role: access_of(User.objects.get(username=persona.email)) for persona in PERSONAS}
    finance, executive = accounts["finance"], accounts["executive"]
    added = {
        title: add_evidence(finance, {"kind": "epic", "initiative": keys[title], **fields})
        for title, fields in evidence.items()
        if title in keys
    }
    if not added:
        return
    closed = add_period(finance, {**_months(last.start, last.last_day), **RATES})
    add_period(finance, {**_months(running.start, running.last_day), **RATES})
    try:
        approve_period(executive, closed)
        freeze_period(finance, closed)
    except FieldError:  # records of it arrived meanwhile: it stays a draft
        return
    shipped = added.get("Express payment")
    if shipped is not None:
        ready = (last.end - CORRECTED).isoformat()
        change_evidence(finance, shipped, {"ready_on": ready}, of_version=shipped.version)


def _known(day: date) -> dict[str, str]:
    """Authorised, funded and probable within the three weeks up to that day."""
    return {
        "authorised_on": (day - timedelta(days=20)).isoformat(),
        "authorised_by": "Erin Executive",
        "funded_on": (day - timedelta(days=13)).isoformat(),
        "probable_since": day.isoformat(),
    }


def _months(first: date, last: date) -> dict[str, str]:
    return {"first_month": written(first), "last_month": written(last)}
