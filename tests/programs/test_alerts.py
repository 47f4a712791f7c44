"""Alert rules: a rule fires once, comes back, and tells nobody what they may not see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from core.write_errors import ConflictError, FieldError
from orgtree.models import Grant, TokenScope
from programs.alerts import watching
from programs.alerts.queries import rules_of
from programs.alerts.watching import watch_metrics
from programs.alerts.writing import add_rule, change_rule
from programs.models import AlertRule, Notice, QuietHours
from programs.reminders.services.planning import plan_reminders
from programs.reminders.services.sending import send_waiting
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, create_user, signed_in
from tests.programs.api_pages import bearer, got, problem, sent
from tests.programs.budgets import spends
from tests.programs.emails import use
from tests.programs.mail_server import mail_server
from tests.programs.reminders import open_accounts
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)  # a Monday
API = "/api/v1/alert-rules/"


@pytest.fixture(autouse=True)
def teams() -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=False):
        teams = create_teams()
        open_accounts()
        yield teams


def rule(by: Any = MANAGER, **given: Any) -> AlertRule:
    """Fires where Platform spends more than $100 in a week."""
    return add_rule(
        as_(by), {"metric": "ai.spend", "unit": "platform", "days": 7, "limit": 100.0, "margin": 20.0, **given}
    )


def alerted() -> list[tuple[str, str]]:
    notices = Notice.objects.filter(kind="metric_alert").order_by("pk")
    return [(notice.account.get_username().partition("@")[0], f"{notice.number}") for notice in notices]


def on(day: int) -> Any:
    return time_machine.travel(datetime(2026, 11, day, 12, tzinfo=UTC), tick=False)


def test_it_fires_once_and_again_only_after_the_value_came_back(org: Org) -> None:
    """Six people spend $20 each on the 10th, $15 on the 20th, and $20 on the 30th: 120, 90 and 120 in their weeks."""
    of_platform = rule()
    spends(org, 20, on="2026-11-10")
    assert watch_metrics() == 1
    assert alerted() == [("edith", "1")]
    assert watch_metrics() == 0, "it fires already"
    with on(21):
        spends(org, 15, on="2026-11-20")
        assert watch_metrics() == 0, "90 is below the limit, but has not come back by the margin"
        assert AlertRule.objects.get().firing_since is not None
    with on(28):
        watch_metrics()
        assert AlertRule.objects.get().firing_since is None, "nothing was spent in this week"
        plan_reminders()
        assert Notice.objects.get(kind="metric_alert").read_at is not None, "its reason is gone"
    with time_machine.travel(datetime(2026, 12, 1, 12, tzinfo=UTC), tick=False):
        spends(org, 20, on="2026-11-30")
        assert watch_metrics() == 1
    assert alerted() == [("edith", "1"), ("edith", "2")]
    of_platform.refresh_from_db()
    assert (of_platform.fired, round(of_platform.value or 0)) == (2, 120)


def test_at_night_it_stays_quiet_and_is_sent_once_in_the_morning(org: Org, tmp_path: Path, settings: Any) -> None:
    rule()
    spends(org, 20, on="2026-11-10")
    with mail_server(tmp_path / "mails") as server:
        use(server, settings)
        with time_machine.travel(datetime(2026, 11, 16, 23, tzinfo=UTC), tick=False):
            QuietHours.objects.create(account=create_user(MANAGER), begins="20:00", ends="07:00", time_zone="UTC")
            assert watch_metrics() == 1
            assert send_waiting() == {}
            assert alerted() == [("edith", "1")], "the inbox has it at once"
        with time_machine.travel(datetime(2026, 11, 17, 7, 1, tzinfo=UTC), tick=False):
            assert watch_metrics() == 0
            assert send_waiting()["sent"] == 1
            assert send_waiting() == {}
        [mail] = server.taken()
    assert "Spend" in str(mail.content["Subject"])


def test_a_limit_below_fires_where_the_value_falls(org: Org) -> None:
    rule(is_above=False, limit=100.0)
    spends(org, 20, on="2026-11-10")
    assert watch_metrics() == 0
    with on(19):
        assert watch_metrics() == 1


def test_a_value_that_is_hidden_changes_nothing(org: Org) -> None:
    """Search has four people: fewer than five."""
    rule(EXECUTIVE, unit="search", limit=1.0, margin=0.0)
    spends(org, 50, on="2026-11-10", people=("grace", "lise"))
    assert watch_metrics() == 0
    assert alerted() == []


def test_whoever_may_no_longer_see_the_unit_gets_no_alert(org: Org, teams: Teams) -> None:
    rule(EXECUTIVE)
    spends(org, 20, on="2026-11-10")
    Grant.objects.filter(user__username__startswith="erin").delete()
    Grant.objects.filter(role="executive").delete()
    assert not rules_of(as_(EXECUTIVE)).exists()
    assert watch_metrics() == 0


def test_rules_that_fail_hold_up_no_other(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    rule(EXECUTIVE)
    rule()
    spends(org, 20, on="2026-11-10")
    of_rules = watching.values_of

    def failing(rules: Any, access: Any) -> list[float | None]:
        if access.visibility.whole:
            raise RuntimeError("broken")
        return of_rules(rules, access)

    monkeypatch.setattr(watching, "values_of", failing)
    assert watch_metrics() == 1
    monkeypatch.undo()
    assert watch_metrics() == 1, "the next turn checks them again"


def test_rules_are_of_those_who_set_them() -> None:
    own = rule()
    for other in (EXECUTIVE, MEMBER):
        client = signed_in(other)
        assert client.get(f"/programs/alerts/{own.pk}/").status_code == 404
        assert client.post(f"/programs/alerts/{own.pk}/remove/").status_code == 404
        assert b"Spend" not in client.get("/programs/alerts/").content.split(b'id="alerts"')[1]
    assert signed_in(MANAGER).post(f"/programs/alerts/{own.pk}/remove/").status_code == 302
    assert not AlertRule.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"metric": "ai.luck"}, "metric"),
        ({"metric": "allocation.share"}, "metric"),
        ({"unit": "search"}, "unit"),
        ({"unit": ""}, "unit"),
        ({"limit": -1.0}, "limit"),
        ({"limit": 1e300}, "limit"),
        ({"limit": None}, "limit"),
        ({"limit": 0.0, "is_above": False}, "limit"),
        ({"margin": -1.0}, "margin"),
        ({"days": 6}, "days"),
        ({"days": 92}, "days"),
    ],
)
def test_what_cannot_be_a_rule_is_said(given: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as refused:
        rule(**given)
    assert refused.value.field == field


def test_the_same_rule_is_set_once_and_changes_start_anew(org: Org) -> None:
    stored = rule()
    with pytest.raises(FieldError, match="limit"):
        rule(limit=50.0)
    spends(org, 20, on="2026-11-10")
    assert watch_metrics() == 1
    change_rule(as_(MANAGER), stored, {"limit": 110.0}, of_version=1)
    assert watch_metrics() == 1, "beyond the new limit, too"
    with pytest.raises(ConflictError):
        change_rule(as_(MANAGER), stored, {"limit": 90.0}, of_version=1)


def test_the_form_reads_amounts_as_people_write_them(org: Org) -> None:
    client = signed_in(MANAGER)
    page = client.get("/programs/alerts/new/?metric=pr.pickup_time&unit=platform").content.decode()
    assert "a duration with its unit" in page
    fields = {"metric": "pr.pickup_time", "unit": "platform", "days": "28", "is_above": "yes", "limit": "2 days"}
    assert client.post("/programs/alerts/new/", {**fields, "limit": "2 apples"}).status_code == 400
    assert client.post("/programs/alerts/new/", fields).status_code == 302
    stored = AlertRule.objects.get()
    assert (stored.limit, stored.margin) == (172_800, 17_280), "the margin is a tenth where none is written"
    listed = client.get("/programs/alerts/").content.decode()
    assert "above 2.0 days, over the last 4 weeks" in listed
    assert "Alert me" in client.get("/insights/metrics/pr.pickup_time/?unit=platform").content.decode()
    assert b"pr.pickup_time" in b"".join(client.get("/programs/alerts/alerts.csv"))


def test_the_api_is_of_the_account(org: Org) -> None:
    client = bearer(MANAGER, TokenScope.PROGRAM)
    fields = {"metric": "ai.spend", "unit": "platform", "limit": 100}
    made = sent(client, "POST", API, fields, status=201)
    assert (made["unit"], made["days"], made["margin"], made["firing_since"]) == ("platform", 28, 0.0, None)
    assert got(client, API)["total"] == 1
    assert got(bearer(OTHER_MEMBER, TokenScope.READ), API)["total"] == 0
    assert got(bearer(None, TokenScope.READ), API)["total"] == 0
    changed = sent(client, "PATCH", f"{API}{made['id']}/", {"limit": 120, "version": 1})
    assert (changed["limit"], changed["version"]) == (120, 2)
    assert problem(sent(client, "POST", API, {**fields, "days": 3}, status=400))[0] == "days"
    assert client.delete(f"{API}{made['id']}/").status_code == 204


def test_an_alert_leads_to_its_metric(org: Org) -> None:
    rule()
    spends(org, 20, on="2026-11-10")
    watch_metrics()
    client: Client = signed_in(MANAGER)
    page = client.get("/programs/inbox/").content.decode()
    assert "Spend, Platform" in page
    assert "$120: above $100, over the last 1 week." in page
    notice = Notice.objects.get(kind="metric_alert")
    answer = client.get(f"/programs/inbox/{notice.pk}/")
    assert answer.headers["Location"] == "/insights/metrics/ai.spend/?unit=platform"
