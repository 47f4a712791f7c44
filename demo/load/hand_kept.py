"""The demo's hand-kept metrics: a year of values for several units, created from templates and entered month by
month.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import User
from django.forms import model_to_dict

from demo.load.personas import PERSONAS
from demo.plan.people import CHECKOUT, DATA, MOBILE, PLATFORM, SEARCH
from demo.plan.year import DemoYear
from integrations.hand_kept.definitions import address_of, define_metric
from integrations.hand_kept.templates import TEMPLATES
from integrations.hand_kept.values import VIA_PAGE, Entry, checked_entry, enter_values
from integrations.models import HandKeptMetric
from orgtree.access.access import access_of
from orgtree.models import Unit

EVERYBODY = ""
EXECUTIVE, MANAGER = "executive", "manager"
MONTHS = 12
# What a month differs from the straight line between the first and the last, as a share of their distance.
DRIFT = (0.0, 0.12, -0.05, 0.08, 0.15, -0.1, 0.02, 0.1, -0.08, 0.06, -0.03, 0.0)


@dataclass(frozen=True, slots=True)
class DemoSeries:
    """A metric's monthly values for a team from `first` to `last`, in the metric's unit; the last one has the note."""

    slug: str
    team: str
    first: float
    last: float
    note: str = ""
    by: str = EXECUTIVE

    def values(self, today: date) -> Iterator[tuple[date, float]]:
        """Values on the first of each month, up to this one."""
        month = today.year * 12 + today.month - MONTHS
        for number, drift in enumerate(DRIFT):
            share = number / (MONTHS - 1) + drift
            year, index = divmod(month + number, 12)
            yield date(year, index + 1, 1), round(self.first + (self.last - self.first) * share, 1)


SERIES = (
    DemoSeries("customer_satisfaction", EVERYBODY, 76.0, 84.0, "Survey of 1,204 customers."),
    DemoSeries(
        "customer_satisfaction", CHECKOUT, 82.0, 74.0,
        "Failed payments since September are the first complaint.", MANAGER,
    ),
    DemoSeries("customer_satisfaction", SEARCH, 70.0, 85.0, "Results by relevance are what people praise."),
    DemoSeries("customer_satisfaction", MOBILE, 79.0, 83.0),
    DemoSeries("infrastructure_cost", EVERYBODY, 41_000.0, 36_500.0, "The invoice of the cloud provider."),
    DemoSeries("infrastructure_cost", PLATFORM, 18_000.0, 15_200.0, "Build machines are switched off at night."),
    DemoSeries("infrastructure_cost", DATA, 12_500.0, 13_900.0),
    DemoSeries("feature_adoption", SEARCH, 31.0, 58.0),
    DemoSeries("feature_adoption", CHECKOUT, 44.0, 47.0, by=MANAGER),
)  # fmt: skip


def write_demo_hand_kept(year: DemoYear, *, today: date) -> None:
    """Write the demo's hand-kept metrics; existing ones stay, so a second call changes nothing."""
    if year.flavour.is_quiet:
        return
    accounts = {
        persona.role: User.objects.get(username=persona.email)
        for persona in PERSONAS
        if persona.role in (EXECUTIVE, MANAGER)
    }
    access = {role: access_of(account) for role, account in accounts.items()}
    there = {metric.slug: metric for metric in HandKeptMetric.objects.all()}
    for slug in dict.fromkeys(series.slug for series in SERIES):
        if slug not in there:
            fields = model_to_dict(TEMPLATES[slug], exclude=["id"])
            keepers = [address_of(accounts[EXECUTIVE])]
            there[slug] = define_metric(access[EXECUTIVE], {**fields, "keepers": keepers})
    for series in SERIES:
        if not there[series.slug].values.filter(unit__slug=series.team.lower() or None).exists():
            entries = _entries(there[series.slug], series, today)
            enter_values(access[series.by], entries, via=VIA_PAGE)


def _entries(metric: HandKeptMetric, series: DemoSeries, today: date) -> list[Entry]:
    unit = Unit.objects.get(slug=series.team.lower()) if series.team else None
    values = list(series.values(today))
    last_day, _ = values[-1]
    return [checked_entry(metric, unit, day, value, series.note if day == last_day else "") for day, value in values]
