"""Records that wait for a place: removed connections, no room, failures, breaks, ten thousand."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from django.utils import timezone

from integrations.enums import Kind
from integrations.intake import place_waiting as sweep
from integrations.intake import unplaced
from integrations.intake.store_drafts import store_waiting
from integrations.models import (
    Connection,
    PipelineRun,
    Repository,
    UnplacedReason,
    UnplacedRecord,
)
from integrations.sync.remove_connection import remove_with_facts
from tests.intake.waiting import host, place, placed, repository, run, tell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_builds")]


def test_removing_the_repository_s_connection_leaves_others_builds(ci: Connection) -> None:
    tell(ci, run("github.com/acme/pay"))
    github = host()
    pay = repository(github, "github.com/acme/pay")
    place()
    remove_with_facts(github)
    assert placed() == pay
    tell(ci, run("github.com/acme/other", "2"))
    remove_with_facts(ci)
    assert (PipelineRun.objects.count(), UnplacedRecord.objects.count()) == (0, 0)
    github = host()
    repository(github, "github.com/acme/shop")
    remove_with_facts(github)
    assert not Repository.objects.filter(name="acme/shop").exists()


def test_what_a_removed_connection_left_waiting_stays(ci: Connection) -> None:
    tell(ci, run("github.com/acme/pay"))
    Connection.objects.filter(pk=ci.pk).update(removed_at=timezone.now())
    repository(host(), "github.com/acme/pay")
    assert (place(), list(UnplacedRecord.objects.counts())) == (0, [])
    Connection.objects.filter(pk=ci.pk).update(removed_at=None)
    assert place() == 1


def test_what_there_is_no_room_for_is_counted(ci: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unplaced, "MOST_WAITING", 3)
    tell(ci, *(run("github.com/acme/pay", str(number)) for number in range(5)))
    tell(ci, run("github.com/acme/pay", "0", minutes=1))
    ci.refresh_from_db()
    assert (UnplacedRecord.objects.count(), ci.unplaced_beyond) == (3, 2)
    repository(host(), "github.com/acme/pay")
    place()
    ci.refresh_from_db()
    assert (PipelineRun.objects.count(), ci.unplaced_beyond) == (3, 0)


def test_a_record_that_cannot_be_stored_holds_up_no_other(ci: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(ci, *(run("github.com/acme/pay", str(number)) for number in range(8)))
    repository(host(), "github.com/acme/pay")

    def refuse(connection: Connection, rows: Any) -> int:
        if any(row.external_id == "2" for row in rows):
            raise ValueError("it cannot be stored")
        steps.append(len(rows))
        return real(connection, rows)

    real = store_waiting
    steps: list[int] = []
    monkeypatch.setattr(sweep, "store_waiting", refuse)
    monkeypatch.setattr(sweep, "AT_ONCE", 2)
    assert place() == 7
    assert steps == [2, 2, 2, 1], "one by one until it is found, and then together again"
    row = UnplacedRecord.objects.get()
    assert (row.external_id, row.reason, row.failures) == ("2", UnplacedReason.FAILED, 1)
    monkeypatch.undo()
    assert place() == 0, "it is tried again later"
    UnplacedRecord.objects.update(next_try_at=None)
    assert place() == 1


def test_a_sweep_that_breaks_off_goes_on_where_it_was(ci: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "AT_ONCE", 7)
    tell(ci, *(run("github.com/acme/pay", str(number)) for number in range(40)))
    repository(host(), "github.com/acme/pay")
    real, calls = store_waiting, []

    def killed(connection: Connection, rows: Any) -> int:
        number = real(connection, rows)
        calls.append(number)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return number

    monkeypatch.setattr(sweep, "store_waiting", killed)
    with pytest.raises(KeyboardInterrupt):
        place()
    assert PipelineRun.objects.count() == 14
    assert place() == 26
    assert (PipelineRun.objects.count(), UnplacedRecord.objects.count()) == (40, 0)


def test_kinds_are_counted_apart(ci: Connection) -> None:
    tell(ci, run("x/y", "1"), run("x/y", "2"), run("", "3"))
    assert [(row["kind"], row["reason"], row["number"]) for row in UnplacedRecord.objects.counts()] == [
        (Kind.PIPELINE_RUN, UnplacedReason.NAMELESS, 1),
        (Kind.PIPELINE_RUN, UnplacedReason.UNKNOWN, 2),
    ]


@pytest.mark.soak
def test_ten_thousand_that_wait_are_placed_in_bounded_memory(ci: Connection) -> None:
    for start in range(0, 10_000, 500):
        tell(ci, *(run("github.com/acme/pay", str(number)) for number in range(start, start + 500)))
    repository(host(), "github.com/acme/pay")
    tracemalloc.start()
    try:
        assert place() == 10_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * 2**20
    assert (PipelineRun.objects.count(), UnplacedRecord.objects.count()) == (10_000, 0)
