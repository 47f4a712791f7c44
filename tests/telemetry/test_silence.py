"""What an agent stopped sending is on the health page within a day, for admins."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import Q

from integrations.models import AgentSession
from integrations.telemetry.sessions.silence import silences
from tests.org import Org

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 16, 18, tzinfo=UTC)
TODAY = NOW.date()


def sessions(org: Org, day: date, number: int, *, tokens: int, lines: int = 0, version: str = "2.0.1") -> None:
    before = set(AgentSession.objects.values_list("pk", flat=True))
    for _ in range(number):
        org.session(by="ada", on=day, tokens=tokens, lines=lines)
    org.fold()
    AgentSession.objects.filter(~Q(pk__in=before)).update(agent_version=version)


def test_a_version_without_what_sessions_had_before_is_reported(org: Org) -> None:
    sessions(org, TODAY - timedelta(days=3), 10, tokens=1000, lines=5)
    sessions(org, TODAY, 5, tokens=1000, version="2.1.0")
    [silence] = silences(NOW)
    assert (silence.version, silence.missing, silence.sessions, silence.share) == ("2.1.0", "generated lines", 5, 1.0)


def test_other_versions_that_go_on_do_not_hide_it(org: Org) -> None:
    sessions(org, TODAY - timedelta(days=3), 10, tokens=1000)
    sessions(org, TODAY, 5, tokens=0, version="2.1.0")
    sessions(org, TODAY, 5, tokens=1000)
    assert [silence.version for silence in silences(NOW)] == ["2.1.0"]


def test_few_sessions_and_what_was_never_usual_are_no_silence(org: Org) -> None:
    sessions(org, TODAY - timedelta(days=3), 10, tokens=1000)
    sessions(org, TODAY, 4, tokens=0, version="2.1.0")
    assert not silences(NOW)
    sessions(org, TODAY, 5, tokens=1000)  # nobody ever sent lines
    assert not silences(NOW)
