"""Closing a quarter: what is scored, frozen and carried over, and that it stays so whatever changes afterwards."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction

from core.json_documents import canonical, parsed
from core.write_errors import FieldError, MayNotWriteError
from insights.catalogue import registry
from orgtree.models import Person, Unit
from orgtree.trees.units import move_person
from programs.closing.services.closing import CarryOver, close_quarter, preview_closing
from programs.closing.services.frozen import FrozenDocumentError, FrozenParent, FrozenQuarter, read_frozen
from programs.key_results.services.measuring import measure_objectives
from programs.models import CheckIn, FrozenDocument, KeyResult, Objective, Quarter
from programs.objectives.services.check_ins import check_in
from programs.objectives.services.writing import add_objective, drop_objective, override_status, publish_objective
from programs.quarters.fiscal_quarters import current_quarter, following
from tests.org import Org
from tests.pages.delivering import OPENED, REVIEWED, merged
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER
from tests.programs.objectives import by_hand, draft, objective, pickup
from tests.programs.tickets import as_, ticket
from tests.teams import OTHERS_IN_PLATFORM, create_teams

HOUR = 3600
AFTER = date(2026, 10, 5)
PLATFORM = ("ada", *OTHERS_IN_PLATFORM)


@pytest.fixture(autouse=True)
def in_september() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 9, 20, 12, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def delivered(org: Org) -> Org:
    """Reviews of Platform waited 20 hours in spring and 14 in July."""
    create_teams()
    spring = [merged(n, date(2026, 5, 4), author=name, waits=16) for n, name in enumerate(PLATFORM)]
    july = [
        merged(50 + n, date(2026, 7, 8), author=name, waits=14 - REVIEWED + OPENED) for n, name in enumerate(PLATFORM)
    ]
    org.push("pull-requests", *spring, *july)
    return org


@pytest.fixture
def in_october() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 10, 5, 12, tzinfo=UTC), tick=False):
        yield


def third_quarter() -> Quarter:
    return Quarter.objects.get(start=date(2026, 7, 1))


def close(**fields: Any) -> FrozenDocument:
    with time_machine.travel(datetime(2026, 10, 5, 12, tzinfo=UTC), tick=False):
        return close_quarter(as_(EXECUTIVE), third_quarter(), **fields)


def read(document: FrozenDocument, persona: Any = EXECUTIVE) -> FrozenQuarter:
    return read_frozen(document, as_(persona))


def test_scores_by_hand(delivered: Org) -> None:
    """From 20 to 12 hours, and it came to 14: 6/8.  By hand from 3 to 4, 4.5: 1.  The guardrail held: no part of it."""
    limit = pickup(title="Small", metric="pr.size", target_kind="guardrail", target=80.0, change_percent=None)
    written = objective(key_results=(pickup(), by_hand(), limit))
    check_in(as_(MANAGER), written, confidence="high", key_result=written.key_results.all()[1].pk, value=4.5)
    close()
    written.refresh_from_db()
    assert written.score == pytest.approx((0.75 + 1) / 2)
    assert [result.final_score for result in written.key_results.all()] == [pytest.approx(0.75), 1.0, 1.0]
    assert [result.final_value for result in written.key_results.all()] == [pytest.approx(14 * HOUR), 4.5, 50]


def test_the_document_holds_all_that_was_shown(delivered: Org) -> None:
    above = objective(EXECUTIVE, unit="engineering", title="Above", key_results=(pickup(),))
    ada = Person.objects.get(email="ada@example.com")
    written = objective(
        owner=ada.email, parent=above.pk, is_mandatory=True, description="**Why**", key_results=(pickup(), by_hand())
    )
    check_in(
        as_(MANAGER), written, confidence="low", note="Half", key_result=written.key_results.all()[1].pk, value=3.2
    )
    ticket(objective=written.pk, title="A rota")
    override_status(as_(MANAGER), written, "off_track", "We lost two people")
    dropped = objective(title="Given up")
    drop_objective(as_(MANAGER), dropped, "Not ours")
    objective(title="Never published", publish=False)
    document = close(retrospectives={written.pk: "We *learned*"}, retrospective="A hard quarter")
    frozen_quarter = read(document)
    assert (frozen_quarter.quarter.name, frozen_quarter.quarter.start, frozen_quarter.quarter.end) == (
        "2026-Q3",
        date(2026, 7, 1),
        date(2026, 10, 1),
    )
    assert frozen_quarter.retrospective == "A hard quarter"
    assert [one.title for one in frozen_quarter.objectives] == [
        "Above",
        "Reviews no longer wait",
        "Given up",
    ]
    _, frozen_objective, given_up = frozen_quarter.objectives
    assert (frozen_objective.unit and frozen_objective.unit.name, frozen_objective.owner, frozen_objective.parent) == (
        "Platform",
        ada.pk,
        FrozenParent(above.pk, "Above"),
    )
    assert (frozen_objective.description, frozen_objective.retrospective) == ("**Why**", "We *learned*")
    assert (frozen_objective.standing, frozen_objective.override_reason) == ("off_track", "We lost two people")
    metric, hand = frozen_objective.key_results
    assert (metric.metric_name, metric.metric_version, metric.unit_of_measure) == ("Pickup time", 1, "seconds")
    assert (metric.value, metric.baseline, metric.target) == pytest.approx((14 * HOUR, 20 * HOUR, 12 * HOUR))
    assert {point.day: point.value for point in metric.points}[date(2026, 7, 6)] == pytest.approx(14 * HOUR)
    assert [hand.value, hand.score] == pytest.approx([3.2, 0.2])
    assert [
        (frozen_check_in.note, frozen_check_in.confidence_label) for frozen_check_in in frozen_objective.check_ins
    ] == [("Half", "Off track")]
    assert [frozen_ticket.title for frozen_ticket in frozen_objective.tickets] == ["A rota"]
    assert (given_up.is_dropped, given_up.dropped_why, given_up.score) == (True, "Not ours", None)
    assert [team.slug for team in frozen_quarter.teams_without_objective] == ["search"]
    assert frozen_quarter.closed_by == as_(EXECUTIVE).viewer.pk  # type: ignore[union-attr]
    quarter = third_quarter()
    assert (quarter.document, quarter.is_closed, quarter.retrospective) == (document, True, "A hard quarter")
    assert "ada@example.com" not in document.body, "people stand in it as ids"
    assert "Ada" not in document.body
    content = json.loads(document.body)
    assert canonical(content) == (document.body, document.sha256)
    assert canonical(parsed(FrozenQuarter, document.body)) == (document.body, document.sha256)
    assert hashlib.sha256(document.body.encode()).hexdigest() == document.sha256


def test_it_stays_the_same_whatever_changes_afterwards(delivered: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late facts, another formula, a metric that is gone, other names, people who moved: nothing of it is seen."""
    written = objective(key_results=(pickup(),))
    document = close()
    before, body = read(document), document.body
    delivered.push("pull-requests", *(merged(800 + n, date(2026, 7, 9), author="ada", waits=90) for n in range(20)))
    platform = Unit.objects.get(slug="platform")
    platform.name = "Foundations"
    platform.save()
    with time_machine.travel(datetime(2026, 10, 20, 12, tzinfo=UTC), tick=False):
        delivered.people({"full_name": "Ada Renamed", "email": "ada@example.com"})
        move_person(Person.objects.get(email="hedy@example.com"), Unit.objects.get(slug="search"), date(2026, 7, 1))
        known = dict(registry._by_key())
        known["pr.pickup_time"] = replace(known["pr.pickup_time"], version=2, name="Waiting", formula="something else")
        monkeypatch.setattr(registry, "_by_key", lambda: known)
        measure_objectives()
        assert read(FrozenDocument.objects.get()) == before
        del known["pr.pickup_time"]
        measure_objectives()
        again = FrozenDocument.objects.get()
    assert (read(again), again.body) == (before, body)
    written.refresh_from_db()
    assert written.key_results.get().measure.value == pytest.approx(14 * HOUR), "and it is measured no more"


def test_the_database_refuses_changes_of_what_is_closed(delivered: Org) -> None:
    written = objective(key_results=(by_hand(baseline=None),))
    key_result = written.key_results.get()
    check_in(as_(MANAGER), written, confidence="low", key_result=key_result.pk, value=3.2)
    document, quarter = close(), third_quarter()
    objectives, key_results = Objective.objects.filter(pk=written.pk), KeyResult.objects.filter(pk=key_result.pk)
    for refused in (
        lambda: objectives.update(title="Another"),
        lambda: objectives.update(score=1.0),
        lambda: objectives.update(quarter=following(quarter)),
        objectives.delete,
        lambda: key_results.update(target=1.0),
        key_results.delete,
        lambda: CheckIn.objects.all().delete(),
        lambda: CheckIn.objects.create(objective=written, confidence="high"),
        lambda: Objective.objects.create(quarter=quarter, title="Too late"),
        lambda: KeyResult.objects.create(objective=written, position=3, title="x", target=1, better="higher"),
        lambda: Quarter.objects.filter(pk=quarter.pk).update(closed_at=None, document=None),
        lambda: Quarter.objects.filter(pk=quarter.pk).update(retrospective="Better than it was"),
        lambda: FrozenDocument.objects.filter(pk=document.pk).update(body="{}"),
        lambda: FrozenDocument.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            refused()
    as_(MANAGER).viewer.delete()  # type: ignore[union-attr]
    written.refresh_from_db()
    assert written.written_by is None, "an account that goes is not held by it"
    Person.objects.filter(email="ada@example.com").delete()


def test_a_closed_quarter_takes_nothing_more(delivered: Org) -> None:
    written = objective()
    quarter = written.quarter
    close(forced_because="Nobody asked")
    for late in (
        lambda: add_objective(as_(EXECUTIVE), draft(quarter=quarter)),
        lambda: publish_objective(as_(MANAGER), written),
        lambda: override_status(as_(MANAGER), written, "on_track", "It was fine"),
        lambda: check_in(as_(MANAGER), written, confidence="low"),
    ):
        with pytest.raises(FieldError, match="2026-Q3 is closed"):
            late()


@pytest.mark.parametrize("persona", [MANAGER, MEMBER, AUDITOR], ids=lambda persona: persona.name)
def test_a_quarter_is_closed_by_executives_and_admins(delivered: Org, persona: Any, in_october: None) -> None:
    quarter = current_quarter()
    with pytest.raises(MayNotWriteError, match="executives and admins"):
        close_quarter(as_(persona), quarter)
    assert preview_closing(as_(persona), quarter).blocks == ("Only executives and admins can close a quarter.",)
    assert not FrozenDocument.objects.exists()


def test_it_is_closed_once(delivered: Org) -> None:
    objective(key_results=(pickup(),))
    close()
    with pytest.raises(FieldError, match="already closed"):
        close()
    assert FrozenDocument.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_of_two_who_close_it_at_once_is_refused(org: Org, in_october: None) -> None:
    create_teams()
    with time_machine.travel(datetime(2026, 9, 20, 12, tzinfo=UTC), tick=False):
        objective(key_results=(by_hand(metric="pr.size", better="", target=50.0, baseline=90.0),))
    access, other = as_(EXECUTIVE), as_(ADMIN)
    ready, outcomes = threading.Barrier(2), []

    def close_it(who: Any) -> None:
        ready.wait()
        try:
            close_quarter(who, third_quarter())
            outcomes.append("closed")
        except FieldError:
            outcomes.append("told")
        finally:
            connection.close()

    closers = [threading.Thread(target=close_it, args=(who,)) for who in (access, other)]
    for thread in closers:
        thread.start()
    for closer in closers:
        closer.join()
    assert sorted(outcomes) == ["closed", "told"]
    assert FrozenDocument.objects.count() == 1


def test_before_its_end_it_takes_a_reason(delivered: Org) -> None:
    objective(key_results=(pickup(),))
    quarter = current_quarter()
    with pytest.raises(FieldError, match="ends on 30 Sep 2026"):
        close_quarter(as_(EXECUTIVE), quarter)
    assert preview_closing(as_(EXECUTIVE), quarter).needs_reason
    document = close_quarter(as_(EXECUTIVE), quarter, forced_because="The company year changed")
    assert read(document).forced_because == "The company year changed"


def test_hand_entered_values_are_requested(delivered: Org) -> None:
    written = objective()
    with pytest.raises(FieldError, match="“Satisfaction”"):
        close()
    assert not third_quarter().is_closed
    preview = preview_closing(as_(EXECUTIVE), third_quarter(), today=AFTER)
    assert [entry.title for entry in preview.without_value] == ["Satisfaction"]
    assert preview.undecided == 1
    close(forced_because="Nobody asked the customers")
    written.refresh_from_db()
    assert written.score is None, "what has no value has no score"


def test_what_is_chosen_is_carried_over_with_a_new_baseline(delivered: Org) -> None:
    above = objective(EXECUTIVE, unit="engineering", title="Above", key_results=(pickup(),))
    reached = pickup(title="Larger", metric="pr.throughput", target_kind="absolute", target=5.0, baseline=2.0)
    chosen = objective(parent=above.pk, is_mandatory=True, key_results=(pickup(), by_hand(), reached))
    ended = objective(title="Ends", key_results=(pickup(),))
    drafted = objective(title="Draft", publish=False, key_results=(pickup(),))
    forgotten = objective(title="Forgotten draft", publish=False)
    check_in(as_(MANAGER), chosen, confidence="high", key_result=chosen.key_results.all()[1].pk, value=3.5)
    close(decisions=dict.fromkeys((above.pk, chosen.pk, drafted.pk), CarryOver.CARRY))
    carried = Objective.objects.get(carried_from=chosen)
    assert str(carried.quarter) == "2026-Q4"
    assert (carried.title, carried.published_at, carried.is_mandatory) == (chosen.title, None, True)
    assert carried.parent == Objective.objects.get(carried_from=above)
    metric, hand, held = carried.key_results.all()
    assert (held.target_kind, held.target, held.baseline) == ("guardrail", 5.0, 6.0), "what was reached is to hold"
    assert metric.target_kind == "absolute"
    assert metric.target == pytest.approx(12 * HOUR), "still the same goal"
    assert metric.baseline == pytest.approx(14 * HOUR), "from where it stands now"
    assert (metric.baseline_from, metric.baseline_to, metric.baseline_people) == (
        date(2026, 7, 1),
        date(2026, 10, 1),
        6,
    )
    assert (hand.baseline, hand.target, hand.hand_value) == (3.5, 4.0, None)
    assert Objective.objects.filter(carried_from=drafted).exists()
    for gone in (ended, forgotten):
        gone.refresh_from_db()
        assert gone.carry_over == CarryOver.END
        assert not Objective.objects.filter(carried_from=gone).exists()
    assert forgotten.dropped_why.startswith("The quarter was closed before")


def test_a_team_that_has_its_next_objective_keeps_it(delivered: Org) -> None:
    chosen = objective(is_mandatory=True, key_results=(pickup(),))
    objective(is_mandatory=True, title="Next", quarter=following(chosen.quarter), key_results=(by_hand(),))
    close(decisions={chosen.pk: CarryOver.CARRY})
    assert not Objective.objects.get(carried_from=chosen).is_mandatory


def test_decisions_are_about_objectives_of_the_quarter(delivered: Org) -> None:
    other = objective(quarter=following(current_quarter()), key_results=(by_hand(),))
    with pytest.raises(FieldError, match="not of 2026-Q3"):
        close(decisions={other.pk: CarryOver.CARRY})
    with pytest.raises(FieldError, match="NUL"):
        close(retrospective="a\x00b")


def test_readers_see_their_part_of_it(delivered: Org) -> None:
    """An objective is not shown to unrelated viewers, and figures of few people only to themselves."""
    objective(key_results=(pickup(),))
    delivered.push("pull-requests", merged(901, date(2026, 7, 9), author="lise", waits=5))
    objective(EXECUTIVE, unit="search", key_results=(pickup(target_kind="absolute", target=HOUR),), title="Of Search")
    objective(EXECUTIVE, unit="engineering", key_results=(pickup(),), title="Above")
    document = close()
    executive = {one.title: one for one in read(document).objectives}
    assert set(executive) == {"Reviews no longer wait", "Of Search", "Above"}
    (few,) = executive["Of Search"].key_results
    assert (few.value, few.points, few.withheld, executive["Of Search"].score) == (None, (), True, None)
    assert few.reason.startswith("Hidden: fewer than 5")
    grace = {one.title: one for one in read(document, OTHER_MEMBER).objectives}
    assert set(grace) == {"Of Search", "Above"}
    assert grace["Of Search"].key_results[0].value == pytest.approx(9 * HOUR)
    above = grace["Above"]
    assert (above.key_results[0].value, above.score, above.progress) == (None, None, None)
    assert above.standing == executive["Above"].standing != "unknown", "how a goal above stood is told"
    assert executive["Of Search"].standing == "unknown"
    assert [team.slug for team in read(document, MEMBER).teams_without_objective] == ["platform"]


def test_a_document_that_was_tampered_with_is_not_shown(delivered: Org) -> None:
    objective(key_results=(pickup(),))
    document = close()
    document.body = document.body.replace("2026-Q3", "2026-Q2")
    with pytest.raises(FrozenDocumentError):
        read(document)
    document = FrozenDocument.objects.get()
    document.schema_version = 99
    with pytest.raises(FrozenDocumentError, match="99"):
        read(document)
