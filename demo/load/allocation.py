"""The demo's target shares of investment: the organisation's, those of a team that spends more on upkeep, and those of
one whose initiative takes more than its share.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.contrib.auth.models import User

from demo.load.personas import PERSONAS
from demo.plan.epics import DATA_CONTRACTS
from demo.plan.people import DATA, MOBILE
from demo.plan.year import DemoYear
from insights.query.windows import quarter_of
from integrations.delivery.allocation.targets import set_targets
from integrations.models import InvestmentCategory, InvestmentKind, InvestmentTarget, WorkItem
from orgtree.access.access import access_of
from orgtree.models import Unit
from programs.allocation.writing import add_rule

# Percent by kind or by name of the category, of the organisation ("") and of teams.
SHARES: dict[str, dict[str, int]] = {
    "": {
        InvestmentKind.NEW: 50,
        InvestmentKind.IMPROVEMENT: 5,
        InvestmentKind.MAINTENANCE: 25,
        InvestmentKind.PRODUCTIVITY: 10,
    },
    MOBILE: {InvestmentKind.NEW: 55, InvestmentKind.MAINTENANCE: 25, InvestmentKind.PRODUCTIVITY: 10},
    DATA: {DATA_CONTRACTS: 25, InvestmentKind.MAINTENANCE: 25},
}
QUARTERS = 2


def write_demo_targets(year: DemoYear, *, today: date) -> None:
    """Write a team's own category, and the targets of this quarter and the one before; existing ones stay, so a second
    call changes nothing.
    """
    if year.flavour.is_quiet or InvestmentTarget.objects.exists():
        return
    categories: dict[str, int] = {category.kind: category.pk for category in InvestmentCategory.objects.all()}
    account = User.objects.get(username=next(one.email for one in PERSONAS if one.role == "executive"))
    categories[DATA_CONTRACTS] = _category_of_epic(account).pk
    start = quarter_of(today).start
    for _ in range(QUARTERS):
        for team, shares in SHARES.items():
            unit = Unit.objects.get(slug=team.lower()) if team else None
            given = {categories[kind]: Decimal(share) for kind, share in shares.items()}
            set_targets(unit, start, given, by=account)
        start = quarter_of(start - timedelta(days=1)).start


def _category_of_epic(account: User) -> InvestmentCategory:
    """The category of Data's initiative, with the team's rule that assigns the epic and all its items to it."""
    category = InvestmentCategory.objects.create(name=DATA_CONTRACTS, kind=InvestmentKind.NEW, position=1)
    epics = [*WorkItem.objects.filter(title=DATA_CONTRACTS, native_type="Epic").values_list("key", flat=True)]
    if epics:
        given = {"category": category.name, "unit": DATA.lower(), "epics": epics, "rank": 1}
        add_rule(access_of(account), given)
    return category
