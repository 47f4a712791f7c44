"""One session id of one person is one session, under however many names its records come."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
from django.db.models import Sum

from integrations.models import AgentSession, AgentSessionDay
from integrations.telemetry.otlp.store_sessions import forget_identities
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.intake import ADA, REQUEST, Intake, Json, counter, json_attributes, log_record, logs, metrics

pytestmark = pytest.mark.django_db

MACHINE = {name: value for name, value in ADA.items() if name != "enduser.id"}
OUTPUT = {**MACHINE, "type": "output", "model": "claude-sonnet-4-5"}


def session_of_events() -> Json:
    return logs(log_record(REQUEST))


def session_of_metrics() -> Json:
    """Metrics of the same tokens, identified only by the installation."""
    time = session_of_events()["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["timeUnixNano"]
    reading = {"timeUnixNano": time, "asDouble": 10.0, "attributes": json_attributes(OUTPUT)}
    return metrics(counter("claude_code.token.usage", reading))


@pytest.mark.parametrize("order", list(itertools.permutations([session_of_events, session_of_metrics])), ids=["→", "←"])
@pytest.mark.parametrize("forgetful", [False, True], ids=["one process", "several processes"])
def test_events_with_an_address_and_metrics_without_are_one_session(
    intake: Intake, order: Sequence[Callable[[], Json]], forgetful: bool
) -> None:
    for send in (*order, *order):
        intake.send(send())
        if forgetful:
            forget_identities()
    fold_received_batches()
    session = AgentSession.objects.get()
    assert (session.event_tokens, session.metric_tokens) == (1160, 10)
    counted = AgentSessionDay.objects.filter(counted=True).aggregate(Sum("output_tokens"))
    assert counted == {"output_tokens__sum": 10}
    assert session.identity.person is not None
    assert session.identity.person.email == "ada@example.com"


def test_the_same_installation_with_another_address_is_another_session(intake: Intake) -> None:
    intake.send(session_of_events())
    intake.send(logs(log_record({**REQUEST, "enduser.id": "grace@example.com"})))
    assert AgentSession.objects.count() == 2
