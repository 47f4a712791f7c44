"""The demo's working agreements: the organisation's own, a team with its own terms, a team that breaks the agreement,
and labels on pull requests that do.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import User

from core.authorship import changes_by
from demo.load.personas import PERSONAS
from demo.plan.people import CHECKOUT, DATA, PLATFORM, SEARCH
from demo.plan.year import DemoYear
from integrations.delivery.agreements.agree import agree
from integrations.models import WorkingAgreement
from orgtree.models import OrgTree, Unit
from programs.teams.queries import teams_tree

# By team ("": the organisation): how many days ago it was agreed on, and what.
AGREED: dict[str, tuple[int, dict[str, Any]]] = {
    "": (300, {"review_hours": 48, "needs_work_item": True, "hotfix_labels": ["hotfix"]}),
    PLATFORM: (126, {"review_hours": 24}),
    DATA: (60, {"most_lines": 400}),
    SEARCH: (90, {"marks_pull_requests": True}),
    CHECKOUT: (125, {"most_lines": 800, "marks_pull_requests": True}),
}


def write_demo_agreements(year: DemoYear, *, today: date) -> None:
    """Write the agreements; existing ones stay, so a second call changes nothing."""
    tree = teams_tree()
    if year.flavour.is_quiet or tree is None or WorkingAgreement.objects.exists():
        return
    account = User.objects.get(username=next(one.email for one in PERSONAS if one.role == "executive"))
    for team, (days, terms) in AGREED.items():
        unit = Unit.objects.filter(slug=team.lower()).first() if team else _root(tree, today)
        if unit is not None:
            with changes_by(account):
                agree(unit, terms, start=today - timedelta(days=days))


def _root(tree: OrgTree, today: date) -> Unit | None:
    return Unit.objects.filter(tree=tree, places__parent=None, places__during__contains=today).first()
