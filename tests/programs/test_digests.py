"""Digests: when they are due, what they say, to whom, and that each is made and sent once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from core.write_errors import FieldError
from insights.query.query import Window
from orgtree.models import Grant
from programs.digests import content as contents
from programs.digests import making
from programs.digests.making import make_digests
from programs.digests.periods import last_due
from programs.digests.subscribing import Wish, subscribe
from programs.models import Digest, DigestSubscription, Notice, OptOut, QuietHours, Rhythm
from programs.reminders.services.outbox import forget_old_messages
from programs.reminders.services.sending import send_waiting
from tests.delivery.linking.delivery import pull_request, push
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, create_user, signed_in
from tests.programs.budgets import spends
from tests.programs.emails import never_quiet, use
from tests.programs.mail_server import MailServer, mail_server
from tests.programs.objective_pages import text
from tests.programs.reminders import open_accounts
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)  # a Monday
LAST_WEEK = Window(date(2026, 11, 9), date(2026, 11, 16))
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def teams() -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=False):
        teams = create_teams()
        open_accounts()
        yield teams


def wants(by: Any = MANAGER, rhythm: Rhythm = Rhythm.WEEKLY, *, unit: str = "platform", **when: int) -> None:
    subscribe(as_(by), {rhythm: Wish(unit, **when)})
    DigestSubscription.objects.update(since=NOW - timedelta(days=200))


class TestPeriods:
    @staticmethod
    def due(rhythm: Rhythm, now: str, *, since: str = "2026-01-01T00:00+00:00", weekday: int = 0) -> Any:
        wanted = DigestSubscription(rhythm=rhythm, weekday=weekday, hour=8, since=datetime.fromisoformat(since))
        found = last_due(wanted, datetime.fromisoformat(now), BERLIN)
        return found and (found.at.isoformat(), str(found.period.start), str(found.period.end))

    @pytest.mark.parametrize(
        ("rhythm", "now", "at", "start", "end"),
        [
            # Berlin is an hour before UTC in winter, two in summer.
            ("weekly", "2026-11-16T06:59+00:00", "2026-11-09T07:00:00+00:00", "2026-11-02", "2026-11-09"),
            ("weekly", "2026-11-16T07:00+00:00", "2026-11-16T07:00:00+00:00", "2026-11-09", "2026-11-16"),
            ("weekly", "2026-11-22T23:00+00:00", "2026-11-16T07:00:00+00:00", "2026-11-09", "2026-11-16"),
            ("weekly", "2026-10-26T07:00+00:00", "2026-10-26T07:00:00+00:00", "2026-10-19", "2026-10-26"),
            ("weekly", "2026-10-19T06:00+00:00", "2026-10-19T06:00:00+00:00", "2026-10-12", "2026-10-19"),
            ("quarterly", "2026-11-16T12:00+00:00", "2026-10-05T06:00:00+00:00", "2026-07-01", "2026-10-01"),
            ("quarterly", "2026-10-05T05:00+00:00", "2026-07-06T06:00:00+00:00", "2026-04-01", "2026-07-01"),
        ],
    )
    def test_a_digest_is_due_at_the_readers_hour(self, rhythm: str, now: str, at: str, start: str, end: str) -> None:
        assert self.due(Rhythm(rhythm), now) == (at, start, end)

    def test_two_weeks_follow_one_another_without_a_gap(self) -> None:
        days = [datetime(2026, 9, 7, 12, tzinfo=UTC) + timedelta(days=number) for number in range(80)]
        periods = sorted({self.due(Rhythm.FORTNIGHTLY, day.isoformat())[1:] for day in days})
        assert len(periods) in (6, 7)
        for (_, end), (start, _) in pairwise(periods):
            assert end == start
        assert {date.fromisoformat(end) - date.fromisoformat(start) for start, end in periods} == {timedelta(days=14)}

    def test_periods_before_the_subscription_are_left_out(self) -> None:
        assert self.due(Rhythm.WEEKLY, "2026-11-16T12:00+00:00", since="2026-11-16T11:00+00:00") is None
        assert self.due(Rhythm.QUARTERLY, "2026-11-16T12:00+00:00", since="2026-10-06T11:00+00:00") is None


def test_a_digest_is_made_once(org: Org) -> None:
    spends(org, 20, on="2026-11-10")
    wants()
    assert make_digests() == 1
    assert make_digests() == 0
    made = Digest.objects.get()
    assert (made.first_day, made.end) == (LAST_WEEK.start, LAST_WEEK.end)
    content = made.document
    assert (content.title, content.whose) == ("Your week", "Platform")
    spend = next(figure for figure in content.figures if figure.label == "Spend")
    assert spend.value == "$120"
    assert spend.path == "/insights/metrics/ai.spend/?unit=platform&from=2026-11-09&to=2026-11-16"
    client = signed_in(MANAGER)
    assert f'href="/programs/digests/{made.pk}/"' in text(client, "/programs/digests/")
    page = text(client, f"/programs/digests/{made.pk}/")
    assert "$120" in page
    inbox = text(client, "/programs/inbox/")
    assert "Platform, 9" in inbox
    notice = Notice.objects.get(kind="digest")
    assert client.get(f"/programs/inbox/{notice.pk}/").headers["Location"] == f"/programs/digests/{made.pk}/"


def test_a_worker_that_dies_leaves_no_half_digest(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the digest and its notice: the next worker makes both, once."""

    class KilledError(BaseException):
        pass

    def die(*_arguments: Any, **_more: Any) -> None:
        raise KilledError

    wants()
    with monkeypatch.context() as patch:
        patch.setattr(making, "store_notices", die)
        with pytest.raises(KilledError):
            make_digests()
    assert not Digest.objects.exists()
    assert (make_digests(), make_digests()) == (1, 0)
    assert Notice.objects.filter(kind="digest").count() == 1


def test_its_figures_are_those_that_the_page_shows(org: Org) -> None:
    """Each figure stands on the page that its link leads to."""
    spends(org, 20, on="2026-11-10")
    wants(EXECUTIVE, Rhythm.QUARTERLY, unit="")
    with time_machine.travel(datetime(2027, 1, 5, 12, tzinfo=UTC), tick=False):
        assert make_digests() == 1
        client, content = signed_in(EXECUTIVE), Digest.objects.get().document
        assert content.figures
        for figure in content.figures:
            number = figure.value.split(" ")[0]
            assert number in text(client, figure.path), figure


@pytest.mark.parametrize(("later", "says"), [(10, "No change"), (90, "Cycle time is worse")])
def test_a_week_is_judged_by_how_far_weeks_move_by_themselves(later: int, says: str) -> None:
    """Each week everybody merges one pull request after some hours; the last week all took longer."""
    hours = (20, 60, 30, 50, 25, 45, 70, 35, 55, 40, 65, 30, 40)
    people = [f"person{number}@example.com" for number in range(6)]
    for week, usual in enumerate(hours, start=1):
        at = datetime(2026, 8, 19, 12, tzinfo=UTC) + timedelta(weeks=week - 1)
        taken = timedelta(hours=usual + (later if week == len(hours) else 0))
        for number, author in enumerate(people):
            record = pull_request("acme/shop", 10 * week + number, at="Mon 00:00", author=author)
            times = {"created_at": (at - taken).isoformat(), "merged_at": at.isoformat()}
            push(("pull-requests", {**record, **times}))
    content = contents.content_of(Rhythm.FORTNIGHTLY, None, LAST_WEEK, as_(EXECUTIVE))
    [figure] = [figure for figure in content.figures if figure.label.startswith("Cycle time")]
    assert content.lead.startswith(says), content
    assert (figure.judged == "worse") is (later == 90)


def test_everybody_reads_what_they_may_see(org: Org, teams: Teams) -> None:
    """Search has four people: their spend is hidden.  A digest of a unit that is no longer one's own is gone."""
    spends(org, 50, on="2026-11-10", people=("grace", "lise"))
    wants(EXECUTIVE, unit="search")
    assert make_digests() == 1
    made = Digest.objects.get()
    assert [figure for figure in made.document.figures if figure.label == "Spend"] == []
    assert any("Spend" in sentence for sentence in made.document.missing)
    assert signed_in(MANAGER).get(f"/programs/digests/{made.pk}/").status_code == 404
    assert signed_in(EXECUTIVE).get(f"/programs/digests/{made.pk}/").status_code == 200
    Grant.objects.filter(role="executive").delete()
    client = signed_in(EXECUTIVE)
    assert client.get(f"/programs/digests/{made.pk}/").status_code == 404
    assert "Your week" not in text(client, "/programs/inbox/")
    Digest.objects.all().delete()
    assert make_digests() == 0, "none is made of what they may not see"


def test_whoever_may_no_longer_see_everybody_gets_no_digest_of_all(org: Org) -> None:
    spends(org, 20, on="2026-11-10")
    wants(EXECUTIVE, unit="")
    Grant.objects.filter(role="executive").delete()
    assert make_digests() == 0, "and none of their own unit under that name"


def test_one_that_fails_holds_up_no_other(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    wants(EXECUTIVE, unit="")
    wants(MANAGER)
    of_content = contents.content_of

    def failing(rhythm: Rhythm, unit: Any, *more: Any) -> Any:
        if unit is None:
            raise RuntimeError("broken")
        return of_content(rhythm, unit, *more)

    monkeypatch.setattr(making, "content_of", failing)
    assert make_digests() == 1
    monkeypatch.undo()
    assert make_digests() == 1, "the next turn makes it"


def test_what_may_not_be_wished_for_is_said() -> None:
    with pytest.raises(FieldError):
        wants(MANAGER, unit="search")
    with pytest.raises(FieldError):
        wants(MEMBER, unit="")
    with pytest.raises(FieldError):
        wants(MANAGER, hour=24)
    assert not DigestSubscription.objects.exists()


def test_the_form_stores_the_rhythms_that_are_ticked() -> None:
    client = signed_in(OTHER_MEMBER)
    fields = {f"{rhythm}_{name}": value for rhythm in Rhythm for name, value in (("weekday", "1"), ("hour", "9"))}
    units = {f"{rhythm}_unit": "search" for rhythm in Rhythm}
    answer = client.post("/programs/digests/", {**fields, **units, "fortnightly_on": "on"})
    assert answer.status_code == 302
    wanted = DigestSubscription.objects.get()
    assert (wanted.rhythm, wanted.unit and wanted.unit.slug, wanted.weekday, wanted.hour) == (
        "fortnightly",
        "search",
        1,
        9,
    )
    assert (
        client.post("/programs/digests/", {**fields, **units, "weekly_on": "on", "weekly_unit": "platform"}).status_code
        == 400
    )
    assert DigestSubscription.objects.get().rhythm == "fortnightly", "a wrong form changes nothing"
    client.post("/programs/digests/", {**fields, **units})
    assert not DigestSubscription.objects.exists()


@pytest.mark.parametrize("rhythm", [*Rhythm])
def test_a_preview_stores_nothing(org: Org, rhythm: Rhythm) -> None:
    spends(org, 20, on="2026-11-10")
    page = text(signed_in(MANAGER), f"/programs/digests/preview/{rhythm}/")
    assert "A preview" in page
    assert not Digest.objects.exists()
    assert "Platform</h1>" in page, "their own unit, without a subscription"
    assert "Changes are against the previous" in page or rhythm == Rhythm.QUARTERLY
    assert signed_in(MANAGER).get("/programs/digests/preview/daily/").status_code == 404


class TestMail:
    @pytest.fixture
    def server(self, tmp_path: Path, settings: Any) -> Iterator[MailServer]:
        with mail_server(tmp_path / "mails") as started:
            use(started, settings)
            yield started

    def test_a_digest_goes_alone_in_html_and_text_and_stops_with_one_click(self, org: Org, server: MailServer) -> None:
        never_quiet()
        spends(org, 20, on="2026-11-10")
        wants()
        make_digests()
        assert send_waiting()["sent"] == 1
        assert send_waiting() == {}
        [mail] = server.taken()
        assert str(mail.content["Subject"]).startswith("Your week: Platform, 9")
        for part in (mail.text, mail.html):
            assert "$120" in part
            assert f"https://headway.example.com/programs/digests/{Digest.objects.get().pk}/" in part
        link = str(mail.content["List-Unsubscribe"]).strip().strip("<>").removeprefix("https://headway.example.com")
        program = Client(enforce_csrf_checks=True)
        assert "e-mails?" in program.get(link).content.decode()
        program.post(link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
        ended = OptOut.objects.get()
        assert (ended.account, ended.kind) == (create_user(MANAGER), "digest"), "other messages still come"
        with time_machine.travel(NOW + timedelta(days=7), tick=False):
            assert make_digests() == 1
            assert send_waiting() == {}, "the inbox has it all the same"

    def test_it_waits_for_the_end_of_quiet_hours(self, org: Org, server: MailServer) -> None:
        QuietHours.objects.create(account=create_user(MANAGER), begins="20:00", ends="16:00", time_zone="UTC")
        wants()
        make_digests()
        assert send_waiting() == {}
        with time_machine.travel(timezone.now() + timedelta(hours=4, minutes=1), tick=False):
            assert send_waiting()["sent"] == 1


def test_digests_are_deleted_with_their_notices_after_half_a_year(org: Org) -> None:
    wants()
    make_digests()
    with time_machine.travel(NOW + timedelta(days=179), tick=False):
        forget_old_messages()
        assert Digest.objects.count() == 1
    with time_machine.travel(NOW + timedelta(days=181), tick=False):
        forget_old_messages()
    assert not Digest.objects.exists()
    assert not Notice.objects.filter(kind="digest").exists()
