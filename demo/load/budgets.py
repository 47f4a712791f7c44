"""The demo's budgets of this month: one of a team that is forecast to be exceeded, and the organisation's."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.models import User

from demo.load.personas import PERSONAS
from demo.plan.people import CHECKOUT
from demo.plan.year import DemoYear
from orgtree.access.access import access_of
from programs.budgets.services.alerting import alert_of_budgets
from programs.budgets.services.outlook import outlooks
from programs.budgets.services.writing import add_budget, change_budget
from programs.models import Budget

EXECUTIVE, MANAGER = "executive", "manager"
# Of what the month comes to: (unit's slug, role of the owner, share).
BUDGETS = ((CHECKOUT.lower(), MANAGER, 0.9), ("", EXECUTIVE, 1.4))
LEAST = 10.0  # dollars, where nothing is known of the month


def write_demo_budgets(year: DemoYear, *, today: date) -> None:
    """Write the demo's budgets; existing ones stay, so a second call changes nothing."""
    if year.flavour.is_quiet or Budget.objects.exists():
        return
    addresses = {persona.role: persona.email for persona in PERSONAS}
    access = access_of(User.objects.get(username=addresses[EXECUTIVE]))
    month = today.replace(day=1)
    for unit, owner, share in BUDGETS:
        given = {"unit": unit, "amount": LEAST, "first_month": f"{month:%Y-%m}", "owner": addresses[owner]}
        budget = add_budget(access, given)
        [outlook] = outlooks([budget], month, access)
        forecast = outlook.spend.forecast
        comes_to = forecast.value if forecast else outlook.spent or 0
        change_budget(access, budget, {"amount": max(LEAST, float(round(comes_to * share)))}, of_version=budget.version)
    alert_of_budgets()
