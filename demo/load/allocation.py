"""The demo's target shares of investment: the organisation's, and those of a team that spends more on upkeep."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.contrib.auth.models import User

from demo.load.personas import PERSONAS
from demo.plan.people import MOBILE
from demo.plan.year import DemoYear
from insights.query.windows import quarter_of
from integrations.delivery.allocation.targets import set_targets
from integrations.models import InvestmentCategory, InvestmentKind, InvestmentTarget
from orgtree.models import Unit

# Percent by kind, of the organisation ("") and of teams.
SHARES = {
    "": {
        InvestmentKind.NEW: 50,
        InvestmentKind.IMPROVEMENT: 5,
        InvestmentKind.MAINTENANCE: 25,
        InvestmentKind.PRODUCTIVITY: 10,
    },
    MOBILE: {InvestmentKind.NEW: 55, InvestmentKind.MAINTENANCE: 25, InvestmentKind.PRODUCTIVITY: 10},
}
QUARTERS = 2


def write_demo_targets(year: DemoYear, *, today: date) -> None:
    """Write the targets of this quarter and the one before; existing ones stay, so a second call changes nothing."""
    if year.flavour.is_quiet or InvestmentTarget.objects.exists():
        return
    categories = {category.kind: category.pk for category in InvestmentCategory.objects.all()}
    account = User.objects.get(username=next(one.email for one in PERSONAS if one.role == "executive"))
    start = quarter_of(today).start
    for _ in range(QUARTERS):
        for team, shares in SHARES.items():
            unit = Unit.objects.get(slug=team.lower()) if team else None
            given = {categories[kind]: Decimal(share) for kind, share in shares.items()}
            set_targets(unit, start, given, by=account)
        start = quarter_of(start - timedelta(days=1)).start
