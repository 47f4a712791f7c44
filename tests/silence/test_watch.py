"""Silences: noticed by the schedule, shown on the health page and in admins' inboxes until data returns."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from insights.catalogue.registry import get
from insights.query.query import Query, Window
from insights.ui.shortfalls import shortfalls
from insights.ui.silences import silence_title
from integrations.collector.machines import add_machine
from integrations.enums import ResourceKind
from integrations.models import (
    CollectedLines,
    Connection,
    IngestScope,
    IngestToken,
    Resource,
    SenderDay,
    Silence,
    Stream,
    SyncRun,
    WebhookDelivery,
)
from integrations.silence.watch import watch
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from orgtree.access.access import public_access
from orgtree.models import Identity, IndividualPolicy, Organisation, Person
from programs.models import Notice
from programs.reminders.services.planning import plan_reminders
from tests.org import Org
from tests.personas import ADMIN, MEMBER, create_user

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 16, 8, tzinfo=UTC)
FRIDAY = date(2026, 11, 13)
WORKING = [day for back in range(4, 26) if (day := MONDAY.date() - timedelta(days=back)).weekday() < 5]  # to Thursday


def sends_daily(sender: str, *more: date) -> None:
    SenderDay.objects.bulk_create(SenderDay(sender=sender, day=day) for day in (*WORKING, *more))


def connection() -> Connection:
    made = Connection.objects.create(provider="github", name="Acme on GitHub")
    sends_daily(f"connection:{made.pk}", FRIDAY)
    return made


def token(name: str = "build server") -> IngestToken:
    made, _ = create_ingest_token(name)
    sends_daily(f"token:{made.pk}")
    return made


def lines_are_missing(*, people: int = 5) -> Silence:
    return Silence.objects.create(
        agent="claude_code",
        version="2.2.0",
        signal="lines",
        since=FRIDAY,
        sessions=14,
        people=people,
        share_before=0.97,
        version_before="2.1.197",
    )


def test_a_token_that_was_silent_on_a_working_day_is_noticed_once() -> None:
    connection()
    made = token()
    assert watch(MONDAY) == 1
    [silence] = Silence.objects.all()
    assert (silence.sender, silence.since) == (f"token:{made.pk}", FRIDAY)
    assert watch(MONDAY + timedelta(hours=1)) == 0
    IngestToken.objects.update(last_used_at=MONDAY + timedelta(hours=2))
    assert watch(MONDAY + timedelta(hours=3)) == 0
    silence.refresh_from_db()
    assert silence.end == Silence.End.RETURNED


def test_figures_of_all_records_that_can_be_pushed_say_that_a_token_is_silent() -> None:
    connection()
    made, _ = create_ingest_token("build server", scope=IngestScope.PUSH)
    sends_daily(f"token:{made.pk}")
    watch(MONDAY)
    window = Window(WORKING[-1], MONDAY.date())
    for key in ("dora.deployment_frequency", "pr.throughput", "wip.count", "commit.count", "sprint.commit"):
        found = shortfalls([get(key)], Query(key, window), public_access(), known={})
        assert [shortfall.key for shortfall in found] == [f"silence_{Silence.objects.get().pk}"], key
    assert not shortfalls([get("ai.tokens")], Query("ai.tokens", window), public_access(), known={})


def test_a_token_that_is_revoked_is_no_silence() -> None:
    connection()
    made = token()
    watch(MONDAY)
    IngestToken.objects.filter(pk=made.pk).update(revoked_at=MONDAY)
    assert watch(MONDAY + timedelta(hours=1)) == 0
    assert Silence.objects.get().end == Silence.End.REMOVED


def test_a_token_of_one_person_is_nobody_elses_business(org: Org) -> None:
    org.session(by="ada", on="2026-11-13")
    org.fold()
    made, _ = create_ingest_token("of ada")
    ada = Identity.objects.get(value="ada@example.com")
    IngestToken.objects.filter(pk=made.pk).update(last_used_at=MONDAY, identity=ada)
    watch(MONDAY)
    assert not SenderDay.objects.filter(sender=f"token:{made.pk}").exists()


def test_days_of_connections_are_those_with_something_new(org: Org) -> None:
    made = Connection.objects.create(provider="github", name="Acme on GitHub")
    resource = Resource.objects.create(connection=made, kind=ResourceKind.REPOSITORY, external_id="1", name="shop")
    stream = Stream.objects.create(resource=resource, kind="pull_request")
    for day, added in ((13, 3), (14, 0)):
        run = SyncRun.objects.create(stream=stream, added=added)
        SyncRun.objects.filter(pk=run.pk).update(started_at=datetime(2026, 11, day, 9, tzinfo=UTC))
    delivery = WebhookDelivery.objects.create(connection=made, delivery_id="1", event="push")
    WebhookDelivery.objects.filter(pk=delivery.pk).update(received_at=datetime(2026, 11, 15, 9, tzinfo=UTC))
    watch(MONDAY)
    days = SenderDay.objects.filter(sender=f"connection:{made.pk}").order_by("day").values_list("day", flat=True)
    assert list(days) == [FRIDAY, date(2026, 11, 15)]


def test_a_paused_connection_is_no_silence() -> None:
    made = connection()
    SenderDay.objects.filter(sender=f"connection:{made.pk}", day=FRIDAY).delete()
    sends_daily("agent:codex", FRIDAY)
    assert watch(MONDAY) == 1
    Connection.objects.update(paused_at=MONDAY)
    watch(MONDAY)
    assert Silence.objects.get().end == Silence.End.REMOVED


def test_an_agent_that_disappears_wholly_is_noticed(org: Org) -> None:
    connection()
    for name in ("ada", "grace", "hedy"):
        org.session(by=name, on="2026-11-14")
    org.session(by="ada", on="2026-11-15")  # one person is no sender
    org.fold()
    watch(MONDAY)
    assert list(SenderDay.objects.filter(sender__startswith="agent").values_list("day", flat=True)) == [
        date(2026, 11, 14)
    ]
    sends_daily("agent:codex")
    assert watch(MONDAY) == 1
    assert Silence.objects.get().sender == "agent:codex"


def test_line_checkpoints_that_stop_arriving_are_noticed() -> None:
    """Those of three people on each of five days, then none; the agent's sessions go on."""
    connection()
    sends_daily("agent:codex")
    SenderDay.objects.get_or_create(sender="agent:codex", day=FRIDAY)
    for number in range(3):
        person = Person.objects.create(full_name=f"Person {number}", email=f"p{number}@example.com")
        add_machine(person, "laptop")
    for day in (9, 10, 11, 12, 13):
        at = datetime(2026, 11, day, 9, tzinfo=UTC)
        sender_count = 3 if day < 13 else 2  # two people are no sender
        for token in IngestToken.objects.filter(scope=IngestScope.COLLECTOR)[:sender_count]:
            made = CollectedLines.objects.create(
                token=token, sha=f"{day:040}", patch_id="b" * 40, agent="codex", external_session="s", lines_by_type={}
            )
            CollectedLines.objects.filter(pk=made.pk).update(received_at=at)
        watch(at)
    SenderDay.objects.get_or_create(sender="lines:codex", day=date(2026, 11, 6))
    days = SenderDay.objects.filter(sender="lines:codex").order_by("day").values_list("day", flat=True)
    assert list(days) == [date(2026, 11, day) for day in (6, 9, 10, 11, 12)]
    assert watch(MONDAY) == 1
    silence = Silence.objects.get(sender="lines:codex")
    assert (silence.since, silence_title(silence)) == (FRIDAY, "No line checkpoints of Codex arrive")
    SenderDay.objects.create(sender="lines:codex", day=date(2026, 11, 16))
    watch(MONDAY)
    assert Silence.objects.get(sender="lines:codex").end == Silence.End.RETURNED


def test_admins_see_on_the_health_page_what_stopped_and_what_to_do() -> None:
    lines_are_missing()
    connection()
    token()
    watch(MONDAY)
    # the version is used by nobody: the watch ended its silence
    Silence.objects.filter(signal="lines").update(ended_at=None, end="")
    admin, member = Client(), Client()
    admin.force_login(create_user(ADMIN))
    member.force_login(create_user(MEMBER))
    page = " ".join(admin.get("/integrations/").content.decode().split())
    assert "Claude Code 2.2.0 sends no generated lines" in page
    assert "14 sessions since then lacked it; before that, 97% of the sessions of version 2.1.197 had it." in page
    assert get("ai.lines_generated").name in page
    assert "build server (…" in page
    assert "13 Nov 2026" in page
    assert "2 signals or sources stopped sending" in admin.get("/home/health/").content.decode()
    assert "Stopped sending" not in member.get("/integrations/").content.decode()


def test_sessions_of_few_people_are_not_counted_for_admins() -> None:
    lines_are_missing(people=4)
    organisation = Organisation.current()
    organisation.protected_since, organisation.individual_policy = MONDAY, IndividualPolicy.PSEUDONYMS
    organisation.save()
    admin = Client()
    admin.force_login(create_user(ADMIN))
    page = admin.get("/integrations/").content.decode()
    assert "A few sessions since then lacked it" in page
    assert "14 sessions" not in page


def test_admins_get_one_notice_per_silence() -> None:
    silence = lines_are_missing()
    admin, member = create_user(ADMIN), create_user(MEMBER)
    plan_reminders()
    plan_reminders()
    [notice] = Notice.objects.all()
    assert (notice.account, notice.silence) == (admin, silence)
    client = Client()
    client.force_login(admin)
    inbox = client.get("/programs/inbox/").content.decode()
    assert "Claude Code 2.2.0 sends no generated lines" in inbox
    assert "Since 13 Nov 2026." in inbox
    [document] = client.get("/api/v1/notices/").json()["notices"]
    assert (document["kind"], document["silence"]) == ("silence", silence.pk)
    Silence.objects.update(ended_at=MONDAY, end=Silence.End.RETURNED)
    assert "It arrives again." in client.get("/programs/inbox/").content.decode()
    assert not Notice.objects.filter(account=member).exists()


def test_a_former_admin_sees_no_silences() -> None:
    lines_are_missing()
    account = create_user(ADMIN)
    plan_reminders()
    account.is_superuser = False
    account.save()
    client = Client()
    client.force_login(account)
    assert "generated lines" not in client.get("/programs/inbox/").content.decode()
