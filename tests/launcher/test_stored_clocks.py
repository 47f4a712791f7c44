"""After a clock that ran ahead is set back, nothing waits until that time."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from pytest_django.fixtures import Settings

from config import health
from config.beat import Scheduler
from config.celery import app
from config.schedule import SCHEDULE, seed_schedule
from config.stored_clocks import CLOCKS, SESSION_LIFETIME, correct_clocks
from integrations.enums import ResourceKind
from integrations.models import Connection, IngestScope, Quota, RepositorySource, Resource, Stream
from integrations.sync.git.tasks import due_sources
from integrations.sync.leases import claimed
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token, sender_of
from orgtree.access.invitations import LIFETIME as INVITATION_LIFETIME
from orgtree.access.invitations import invite
from orgtree.models import Invitation
from tests.personas import MEMBER, create_user

pytestmark = pytest.mark.django_db

AHEAD = timedelta(days=30)
SWEEPS = {entry.name for entry in SCHEDULE if "Every" in type(entry.when).__name__}


class Beat:
    """The scheduler with its messages noted instead of sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._sent: list[str] = []
        monkeypatch.setattr(Scheduler, "apply_async", lambda _, entry, **__: self._sent.append(entry.name))
        # The test's transaction is on this connection.
        monkeypatch.setattr("django_celery_beat.schedulers.close_old_connections", lambda: None)
        self.scheduler = Scheduler(app=app, Producer=lambda *_, **__: None)
        self.scheduler._finalize.cancel()  # it would write once more when the run is over

    def sends(self, at: datetime) -> set[str]:
        """The tasks started at that moment, a minute after the clocks were last read."""
        self._sent.clear()
        self.scheduler._look_at = float("-inf")
        with time_machine.travel(at, tick=False):
            while self.scheduler.tick() == 0:
                pass
            self.scheduler.sync()
        return set(self._sent)


@pytest.fixture
def beat(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Beat]:
    seed_schedule()
    return lambda: Beat(monkeypatch)


def hours_later(start: datetime) -> datetime:
    """A moment at which every sweep, including the hourly one, is due."""
    return start + timedelta(hours=2)


def test_a_schedule_of_the_future_goes_on_at_the_next_start(beat: Callable[[], Beat]) -> None:
    now = timezone.now()
    PeriodicTask.objects.update(last_run_at=now + AHEAD, date_changed=now + AHEAD)
    started = beat()
    started.sends(now)
    assert not PeriodicTask.objects.filter(last_run_at__gt=now + timedelta(minutes=1)).exists()
    assert started.sends(hours_later(now)) >= SWEEPS


def test_a_clock_may_jump_twice_while_the_scheduler_runs(beat: Callable[[], Beat]) -> None:
    now, running = timezone.now(), beat()
    running.sends(now)
    for _ in range(2):
        assert running.sends(now + AHEAD) >= SWEEPS
        running.sends(now)
        now = hours_later(now)
        assert running.sends(now) >= SWEEPS


def test_a_nightly_task_that_never_ran_goes_on_as_well(beat: Callable[[], Beat]) -> None:
    """It counts from when it was last changed."""
    now = timezone.now()
    PeriodicTask.objects.update(last_run_at=None, date_changed=now + AHEAD)
    started = beat()
    started.sends(now)
    nightly = {entry.name for entry in SCHEDULE} - SWEEPS
    sent = set().union(*(started.sends(now + timedelta(hours=hour)) for hour in range(1, 26)))
    assert sent >= nightly


def test_doctor_names_a_last_run_in_the_future(beat: Callable[[], Beat], capsys: pytest.CaptureFixture[str]) -> None:
    seed_schedule()

    def schedule_finding() -> tuple[str, str]:
        with suppress(SystemExit):
            call_command("doctor", "--json")
        findings = {finding["part"]: finding for finding in json.loads(capsys.readouterr().out)}
        return findings["schedule"]["state"], findings["schedule"]["sentence"]

    assert schedule_finding()[0] == "right"
    PeriodicTask.objects.filter(name="Sync connections").update(last_run_at=timezone.now() + AHEAD)
    state, sentence = schedule_finding()
    assert state == "wrong"
    assert "'Sync connections'" in sentence
    assert "clock was put back" in sentence
    correct_clocks(timezone.now())
    assert schedule_finding()[0] == "right"


def test_a_task_that_was_finished_in_the_future_is_not_of_now() -> None:
    health._mark().parent.mkdir(parents=True, exist_ok=True)
    health.note_finished_task()
    later = timezone.now() + AHEAD
    os.utime(health._mark(), (later.timestamp(), later.timestamp()))
    seconds = health.seconds_since_last_task()
    health._mark().unlink()
    assert seconds is not None
    assert seconds > timedelta(days=29).total_seconds()


def test_syncs_that_were_planned_in_the_future_are_due() -> None:
    now = timezone.now()
    connection = Connection.objects.create(provider="github", name="GitHub", discover_at=now + AHEAD)
    source = RepositorySource.objects.create(connection=connection, external_id="/srv/shop.git", tried_at=now + AHEAD)
    resource = Resource.objects.create(
        connection=connection, kind=ResourceKind.REPOSITORY, external_id="1", name="acme/shop", picked=True
    )
    stream = Stream.objects.create(
        resource=resource, kind="issues", due_at=now + AHEAD, served_at=now + AHEAD, leased_until=now + AHEAD
    )
    Quota.objects.create(connection=connection, budget="core", blocked_until=now + AHEAD)
    assert correct_clocks(now)
    later = now + timedelta(hours=1)
    assert due_sources(later) == [source]
    stream.refresh_from_db()
    assert stream.due_at == stream.leased_until == now
    assert Connection.objects.get().discover_at == Quota.objects.get().blocked_until == now
    with claimed() as lease:
        assert lease is not None


def test_what_may_lie_in_the_future_stays() -> None:
    now = timezone.now()
    connection = Connection.objects.create(provider="github", name="GitHub", discover_at=now + timedelta(hours=20))
    Quota.objects.create(connection=connection, budget="core", blocked_until=now + timedelta(hours=24))
    assert correct_clocks(now) == {}


def test_somebody_who_was_locked_out_in_the_future_signs_in_a_quarter_of_an_hour_later() -> None:
    create_user(MEMBER)
    form = {"login": MEMBER.email, "password": "wrong"}
    with time_machine.travel(timezone.now() + AHEAD):
        for _ in range(10):
            status = Client().post("/accounts/login/", form).status_code
    assert status in (403, 429)
    correct_clocks(timezone.now())
    assert AccessAttempt.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert Client().post("/accounts/login/", {**form, "password": MEMBER.password}).status_code == 302


def test_links_and_sessions_of_the_future_end_no_later_than_those_of_now() -> None:
    now = timezone.now()
    user = create_user(MEMBER)
    with time_machine.travel(now + AHEAD, tick=False):
        invite(["alan@example.com"], by=user)
        session = SessionStore()
        session.create()
        token, secret = create_ingest_token("laptop")
        sender_of(secret, IngestScope.TELEMETRY)
    token.refresh_from_db()
    assert token.last_used_at == now + AHEAD
    assert correct_clocks(now)
    token.refresh_from_db()
    assert token.last_used_at == now
    assert Invitation.objects.get().expires_at == now + INVITATION_LIFETIME
    assert Session.objects.get().expire_date == now + SESSION_LIFETIME
    assert not correct_clocks(now)


def test_an_address_that_signed_in_in_the_future_may_go_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """allauth keeps times of attempts in memory, and forgets none that lies ahead."""
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login": "3/m/ip"}
    cache.clear()

    def statuses(count: int) -> list[int]:
        form = {"login": "nobody", "password": "wrong"}
        return [Client().post("/accounts/login/", form).status_code for _ in range(count)]

    with time_machine.travel(timezone.now() + AHEAD):
        assert statuses(2) == [200, 200]
    assert statuses(2) == [200, 429]
    minute_later = time.monotonic() + 61
    monkeypatch.setattr("config.memory_cache.time.monotonic", lambda: minute_later)
    assert statuses(1) == [200]
    cache.clear()


def test_every_column_is_named_once() -> None:
    assert len({(clock.model, clock.field) for clock in CLOCKS}) == len(CLOCKS)
