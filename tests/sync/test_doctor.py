"""The report of `manage.py doctor` on connections."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from config.diagnosis import State, connections
from integrations.models import Connection, Stream
from integrations.sync.resources import discover_resources
from tests.sync.faults import always, refused
from tests.sync.provider import Provider
from tests.sync.readings import read_everything


def test_failing_and_late_streams_are_found(connection: Connection, provider: Provider) -> None:
    provider.repository("acme/shop", pull_requests=1)
    provider.repository("acme/site", pull_requests=1)
    discover_resources(connection)
    read_everything(connection)
    assert connections().state == State.RIGHT
    assert connections().sentence == "2 streams of connections are read as they come due."
    Stream.objects.update(due_at=timezone.now() - timedelta(hours=2))
    assert (connections().state, connections().sentence[:2]) == (State.NOTE, "2 ")
    provider.answers(always(refused(404), to="1000/pulls"))
    read_everything(connection)
    assert connections().state == State.WRONG
    assert connections().sentence.startswith("1 of 2 streams of connections fail, such as acme/shop: pull requests: ")
    assert "Grant access to it" in connections().sentence
