"""The demo has one published dashboard, which everybody sees."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from demo.load.dashboards import make_demo_dashboard
from demo.load.personas import open_demo_accounts
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from insights.models import Dashboard
from tests.org import Org

END = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(("flavour", "number"), [(Flavour.STORIES, 1), (Flavour.QUIET, 0)])
def test_it_is_made_once_and_not_where_nothing_happened(org: Org, flavour: Flavour, number: int) -> None:
    org.tree("teams")
    open_demo_accounts()
    for _ in range(2):
        make_demo_dashboard(DemoYear(seed=1, flavour=flavour, anchor=END))
    assert Dashboard.objects.filter(version=1, shares__role="everybody").count() == number
    assert Dashboard.objects.count() == number
