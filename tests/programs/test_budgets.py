"""Budgets: what is spent, what the month comes to, who is told, who may write and see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from orgtree.models import IndividualPolicy, Organisation
from programs.budgets.queries.budgets import BudgetFilters
from programs.budgets.services.alerting import alert_of_budgets, contacts_of
from programs.budgets.services.outlook import BudgetState, Outlook, outlooks
from programs.budgets.services.writing import add_budget, change_budget, remove_budget
from programs.models import AlertKind, Budget, BudgetAlert, Notice
from tests.org import Org
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER
from tests.programs.budgets import budget, spends, spends_weekly, weeks_before
from tests.programs.reminders import open_accounts
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)  # a Monday
NOVEMBER = date(2026, 11, 1)
EIGHT_WEEKS = weeks_before(date(2026, 11, 16), 8)


@pytest.fixture(autouse=True)
def teams() -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=False):
        teams = create_teams()
        open_accounts()
        yield teams


def outlook_of(stored: Budget, by: object = EXECUTIVE) -> Outlook:
    [outlook] = outlooks([stored], NOVEMBER, as_(by))  # type: ignore[arg-type]
    return outlook


def alerted() -> set[tuple[str, str]]:
    return {(notice.account.get_username().partition("@")[0], notice.kind) for notice in Notice.objects.all()}


class TestOutlook:
    def test_the_month_goes_on_as_the_last_weeks_did(self, org: Org) -> None:
        """Six people spend $10 each on Wednesdays: 2 of November are past, 2 (18 and 25 November) to come."""
        spends_weekly(org, 10, weeks=EIGHT_WEEKS)
        outlook = outlook_of(budget(amount=200))
        assert outlook.spent == pytest.approx(120, abs=0.01)
        assert outlook.spend.forecast is not None
        assert outlook.spend.forecast.value == pytest.approx(240, abs=0.01)
        assert outlook.spend.forecast.weeks == 8
        assert outlook.state == BudgetState.FORECAST_OVER

    def test_weeks_before_spending_began_are_no_zeros(self, org: Org) -> None:
        spends_weekly(org, 10, weeks=EIGHT_WEEKS[-4:])
        forecast = outlook_of(budget()).spend.forecast
        assert forecast is not None
        assert forecast.weeks == 3
        assert forecast.weekly == pytest.approx(60, abs=0.01)

    def test_a_tool_that_is_new_has_no_forecast_and_says_so(self, org: Org) -> None:
        spends_weekly(org, 10, weeks=EIGHT_WEEKS[-2:])
        outlook = outlook_of(budget())
        assert outlook.spent == pytest.approx(120, abs=0.01)
        assert outlook.spend.forecast is None
        assert "3 complete weeks" in outlook.spend.why_none

    def test_an_agents_budget_counts_that_agent_alone(self, org: Org) -> None:
        spends_weekly(org, 10, weeks=EIGHT_WEEKS)
        assert outlook_of(budget(agent="claude_code")).spent == pytest.approx(120, abs=0.01)
        assert outlook_of(budget(agent="codex")).spent == 0

    def test_a_unit_of_few_people_has_neither_spend_nor_forecast(self, org: Org) -> None:
        spends_weekly(org, 10, weeks=EIGHT_WEEKS, people=("grace", "lise"))
        outlook = outlook_of(budget(unit="search", amount=1))
        assert (outlook.spent, outlook.spend.forecast, outlook.state) == (None, None, BudgetState.UNKNOWN)
        assert alert_of_budgets() == 0

    def test_where_the_policy_names_people_small_units_are_alerted_too(self, org: Org) -> None:
        Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)
        spends_weekly(org, 10, weeks=EIGHT_WEEKS, people=("grace", "lise"))
        budget(unit="search", amount=1)
        assert alert_of_budgets() == 2

    def test_tokens_without_a_price_are_said(self, org: Org) -> None:
        for name in ("ada", "hedy", "katherine", "radia", "barbara"):
            org.session(by=name, on="2026-11-04", tokens=1000, model="nobody-knows-me")
        org.fold()
        assert outlook_of(budget()).spend.unpriced.value == 5000


class TestAlerts:
    def test_owner_and_managers_are_alerted_once_per_threshold_and_month(self, org: Org) -> None:
        spends_weekly(org, 10, weeks=EIGHT_WEEKS)
        stored = budget(amount=250)
        assert alert_of_budgets() == 1
        assert alerted() == {("ada", "budget_forecast"), ("edith", "budget_forecast")}
        assert alert_of_budgets() == 0
        [alert] = stored.alerts.all()
        assert (alert.kind, alert.percent, alert.month) == (AlertKind.FORECAST, 80, NOVEMBER)
        spends(org, 30, on="2026-11-16")
        assert alert_of_budgets() == 1
        assert alerted() >= {("ada", "budget_spent"), ("edith", "budget_spent")}
        assert BudgetAlert.objects.count() == 2

    def test_a_threshold_that_is_not_set_alerts_nobody(self, org: Org) -> None:
        spends_weekly(org, 10, weeks=EIGHT_WEEKS)
        budget(amount=100, forecast_percent=None, spent_percent=None)
        assert alert_of_budgets() == 0

    def test_another_threshold_is_another_alert(self, org: Org) -> None:
        spends_weekly(org, 10, weeks=EIGHT_WEEKS)
        stored = budget(amount=250)
        alert_of_budgets()
        change_budget(as_(MANAGER), stored, {"forecast_percent": 90}, of_version=1)
        assert alert_of_budgets() == 1

    def test_a_unit_without_managers_asks_those_above_and_the_organisation_its_executives(
        self, org: Org, teams: Teams
    ) -> None:
        teams.engineering.leader = teams.platform.leader
        teams.engineering.save()
        teams.search.leader = None
        teams.search.save()
        spends_weekly(org, 10, weeks=EIGHT_WEEKS)
        of_all = budget(unit=None, amount=100, owner=None, forecast_percent=None)
        of_units = [budget(unit=unit, owner=None, amount=10**6) for unit in ("search", "platform")]
        contacts = contacts_of([of_all, *of_units])
        assert [contacts[stored.pk] for stored in of_units] == [["Edith"], ["Edith"]]
        assert contacts[of_all.pk] == [EXECUTIVE.email]
        assert alert_of_budgets() == 1
        assert {kind for _, kind in alerted()} == {"budget_spent"}
        assert {name for name, _ in alerted()} == {EXECUTIVE.email.partition("@")[0]}


class TestWriting:
    def test_managers_write_for_their_units_alone(self) -> None:
        assert budget(MANAGER).unit is not None
        with pytest.raises((MayNotWriteError, FieldError)):
            budget(MANAGER, unit="search")
        with pytest.raises(MayNotWriteError):
            budget(MANAGER, unit=None)
        with pytest.raises(MayNotWriteError):
            budget(MEMBER)

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("amount", {"amount": 0}),
            ("amount", {"amount": "NaN"}),
            ("amount", {"amount": 1e300}),
            ("amount", {"amount": 1.001}),
            ("amount", {"amount": True}),
            ("first_month", {"first_month": "2026-13"}),
            ("first_month", {"first_month": 202611}),
            ("last_month", {"last_month": "2026-10"}),
            ("owner", {"owner": "nobody@example.com"}),
            ("forecast_percent", {"forecast_percent": 0}),
            ("spent_percent", {"spent_percent": 5000}),
            ("agent", {"agent": "x" * 41}),
            ("agent", {"agent": "a\x00"}),
            ("unit", {"unit": "atlantis"}),
            ("colour", {"colour": "red"}),
        ],
    )
    def test_what_is_wrong_is_named_and_stores_nothing(self, field: str, given: dict[str, object]) -> None:
        with pytest.raises(FieldError) as problem:
            budget(**given)
        assert problem.value.field == field
        assert not Budget.objects.exists()

    def test_two_of_one_unit_and_agent_share_no_month(self) -> None:
        budget(last_month="2026-12")
        budget(agent="codex")
        budget(first_month="2027-01")
        for months in ({"first_month": "2026-12"}, {"first_month": "2026-01", "last_month": "2026-11"}):
            with pytest.raises(FieldError, match="change that one"):
                budget(**months)

    def test_whoever_edits_an_older_version_loses_nothing(self) -> None:
        stored = budget()
        change_budget(as_(MANAGER), stored, {"amount": 2000}, of_version=1)
        with pytest.raises(ConflictError):
            change_budget(as_(EXECUTIVE), stored, {"amount": 3000}, of_version=1)
        stored.refresh_from_db()
        assert stored.amount == Decimal(2000)
        assert stored.version == 2

    def test_a_budget_that_was_written_by_mistake_can_be_removed_by_those_who_may_write_it(self) -> None:
        stored = budget()
        with pytest.raises(MayNotWriteError):
            remove_budget(as_(MEMBER), stored)
        remove_budget(as_(MANAGER), stored)
        assert not Budget.objects.exists()


class TestVisibility:
    def test_budgets_are_seen_by_whoever_sees_the_figures(self) -> None:
        add_budget(as_(EXECUTIVE), {"unit": None, "amount": 1, "first_month": "2026-11"})
        budget()

        def seen(persona: object) -> int:
            return BudgetFilters({"month": "2026-11"}, as_(persona), today=NOVEMBER).qs.count()  # type: ignore[arg-type]

        assert (seen(EXECUTIVE), seen(ADMIN), seen(MANAGER), seen(MEMBER), seen(OTHER_MEMBER)) == (2, 2, 1, 1, 0)

    def test_a_budget_holds_from_its_first_month_to_its_last(self) -> None:
        budget(last_month="2026-12")
        months = ["2026-10", "2026-11", "2026-12", "2027-01"]
        listed = [BudgetFilters({"month": month}, as_(EXECUTIVE), today=NOVEMBER).qs.count() for month in months]
        assert listed == [0, 1, 1, 0]
