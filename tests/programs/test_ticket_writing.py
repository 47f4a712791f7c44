"""Writing tickets: who may, what is refused, and that nothing anybody wrote is lost."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from insights.query.windows import local_today
from integrations.models import PullRequest
from orgtree.models import Employment, Person, UnitPlace
from programs.comments.writing import comment_on, mentioned
from programs.models import Objective, Ticket, TicketState
from programs.quarters.fiscal_quarters import current_quarter
from programs.tickets.services.writing import add_ticket, change_ticket, move_ticket
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.programs.tickets import as_, draft, ownerless, ticket
from tests.teams import create_teams


@pytest.fixture
def teams(org: Org) -> Org:
    create_teams()
    return org


def test_a_manager_writes_for_their_unit_and_watches_it(teams: Org) -> None:
    added = ticket(resolution="A check labels a PR without one.")
    assert (added.unit.slug, added.owner.email, added.state) == ("platform", "ada@example.com", "open")  # type: ignore[union-attr]
    assert added.starts_on == local_today()
    assert [watcher.get_username() for watcher in added.watchers.all()] == [MANAGER.email]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("persona", "unit", "may"),
    [
        (MANAGER, "platform", True),
        (MANAGER, "search", False),
        (MANAGER, "", False),
        (EXECUTIVE, "search", True),
        (EXECUTIVE, "", True),
        (ADMIN, "", True),
        (MEMBER, "platform", False),
        (AUDITOR, "platform", False),
    ],
)
def test_who_may_write_for_whom(teams: Org, persona: Persona, unit: str, may: bool) -> None:
    if may:
        assert add_ticket(as_(persona), draft(unit=unit)).pk
        return
    with pytest.raises((MayNotWriteError, FieldError)):
        add_ticket(as_(persona), draft(unit=unit))
    assert not Ticket.objects.exists()


def test_an_owner_changes_their_ticket_and_a_colleague_does_not(teams: Org) -> None:
    written = ticket()
    changed = change_ticket(as_(MEMBER), written, draft(resolution="Label it."), of_version=1)
    assert (changed.resolution, changed.version) == ("Label it.", 2)
    for stranger in (OTHER_MEMBER, AUDITOR):
        with pytest.raises(MayNotWriteError, match="its owner"):
            change_ticket(as_(stranger), written, draft(), of_version=2)
        with pytest.raises(MayNotWriteError):
            move_ticket(as_(stranger), written, TicketState.DONE)
    with pytest.raises(MayNotWriteError):  # an owner takes it to no unit that they do not lead
        change_ticket(as_(MEMBER), written, draft(unit=""), of_version=2)


REFUSED: Sequence[tuple[dict[str, Any], str, str]] = [
    ({"title": "  "}, "title", "Enter the opportunity"),
    ({"title": "x" * 201}, "title", "At most 200"),
    ({"title": "a\x00b"}, "title", "NUL"),
    ({"resolution": "x" * 20_001}, "resolution", "At most 20,000"),
    ({"kind": "weather"}, "kind", "process, tooling, people"),
    ({"nature": "threat"}, "nature", "opportunity, challenge"),
    ({"starts_on": date(2026, 3, 2), "due_on": date(2026, 3, 1)}, "due_on", "cannot be due before"),
    ({"due_on": date(9999, 1, 1)}, "due_on", "not between"),
    ({"owner": "nobody@example.com"}, "owner", "Nobody with the address"),
    ({"unit": "nowhere"}, "unit", "no unit"),
    ({"metric": "dora.luck"}, "metric", "no metric"),
    ({"objective": 99}, "objective", "no such objective"),
    ({"pull_requests": (99,)}, "pull_requests", "not known"),
]


def test_what_cannot_be_said_is_refused_at_its_field(teams: Org, subtests: pytest.Subtests) -> None:
    for changes, field, message in REFUSED:
        with subtests.test(changes=changes):
            with pytest.raises(FieldError, match=message) as refused:
                ticket(**changes)
            assert refused.value.field == field
            assert not Ticket.objects.exists()


def test_who_has_left_gets_no_ticket_and_keeps_the_one_they_have(teams: Org) -> None:
    written = ticket()
    ada = Person.objects.get(email="ada@example.com")
    Employment.objects.filter(person=ada).delete()
    Employment.objects.create(person=ada, during=DateRange(date(2025, 1, 1), local_today()))
    with pytest.raises(FieldError, match="has left"):
        ticket()
    changed = change_ticket(as_(MANAGER), written, draft(title="Still hers"), of_version=1)
    assert changed.owner == ada
    given = change_ticket(as_(MANAGER), changed, draft(owner="hedy@example.com"), of_version=2)
    with pytest.raises(FieldError, match="has left"):  # once given away she does not get it back
        change_ticket(as_(MANAGER), given, draft(), of_version=3)


def test_an_archived_unit_gets_no_ticket_and_keeps_the_one_it_has(teams: Org) -> None:
    written = ticket(EXECUTIVE)
    UnitPlace.objects.filter(unit=written.unit).update(during=DateRange(date(2025, 1, 1), local_today()))
    with pytest.raises(FieldError, match="no longer in any Org Tree"):
        ticket(EXECUTIVE)
    assert change_ticket(as_(EXECUTIVE), written, draft(title="Ends well"), of_version=1).title == "Ends well"
    assert move_ticket(as_(EXECUTIVE), written, TicketState.DONE).state == "done"


def test_the_second_of_two_edits_is_refused_and_the_first_stays(teams: Org) -> None:
    written = ticket()
    change_ticket(as_(MEMBER), written, draft(resolution="Label it."), of_version=1)
    with pytest.raises(ConflictError) as conflict:
        change_ticket(as_(MANAGER), written, draft(resolution="Block it."), of_version=1)
    assert conflict.value.stored.resolution == "Label it."
    assert Ticket.objects.get().resolution == "Label it."
    again = change_ticket(as_(MANAGER), written, draft(resolution="Label it."), of_version=1)
    assert again.version == 2, "who says the same is in no conflict, and changes nothing"


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_edits_is_refused(org: Org) -> None:
    create_teams()
    written = ticket()
    ready, outcomes = threading.Barrier(2), []

    def edit(persona: Persona, text: str) -> None:
        access = as_(persona)
        ready.wait()
        try:
            change_ticket(access, written, draft(resolution=text), of_version=1)
            outcomes.append(text)
        except ConflictError as conflict:
            outcomes.append(f"after {conflict.stored.resolution}")
        finally:
            connection.close()

    edits = [threading.Thread(target=edit, args=writer) for writer in ((MEMBER, "first"), (MANAGER, "second"))]
    for thread in edits:
        thread.start()
    for thread in edits:
        thread.join()
    stored = Ticket.objects.get().resolution
    assert sorted(outcomes) == sorted([stored, f"after {stored}"])


def test_done_has_a_day_and_dropped_a_reason(teams: Org) -> None:
    written = ticket(starts_on=day_before(9))
    manager = as_(MANAGER)
    assert move_ticket(manager, written, TicketState.IN_PROGRESS).completed_on is None
    assert move_ticket(manager, written, TicketState.DONE).completed_on == local_today()
    earlier = day_before(3)
    assert move_ticket(manager, written, TicketState.DONE, completed_on=earlier).completed_on == earlier
    for day in (local_today() + timedelta(days=1), day_before(10)):
        with pytest.raises(FieldError) as refused:
            move_ticket(manager, written, TicketState.DONE, completed_on=day)
        assert refused.value.field == "completed_on"
    with pytest.raises(FieldError, match="reason for dropping"):
        move_ticket(manager, written, TicketState.DROPPED, dropped_why=" ")
    dropped = move_ticket(manager, written, TicketState.DROPPED, dropped_why="The tool does it now")
    assert (dropped.completed_on, dropped.dropped_why) == (None, "The tool does it now")
    reopened = move_ticket(manager, written, TicketState.OPEN)
    assert (reopened.state, reopened.dropped_why) == ("open", "")
    version = reopened.version
    assert move_ticket(manager, written, TicketState.OPEN).version == version, "where it is already: no change"
    done = move_ticket(manager, written, TicketState.DONE, completed_on=earlier)
    with pytest.raises(FieldError, match="It was completed on"):
        change_ticket(manager, done, draft(starts_on=local_today()), of_version=done.version)


def test_links_are_kept(teams: Org) -> None:
    teams.push("pull-requests", merged(1, day_before(3)))
    pull = PullRequest.objects.get()
    goal = Objective.objects.create(quarter=current_quarter(), title="Ship sooner", published_at=timezone.now())
    written = ticket(metric="dora.lead_time", objective=goal.pk, pull_requests=(pull.pk,))
    assert (written.metric, written.objective, list(written.pull_requests.all())) == ("dora.lead_time", goal, [pull])
    change_ticket(as_(MANAGER), written, draft(metric="dora.lead_time", objective=goal.pk), of_version=1)
    assert list(written.pull_requests.all()) == [pull], "not spoken of: as they are"


def test_comments_mention_people_who_are_known(teams: Org) -> None:
    written = ticket()
    text = "@grace@example.com and @Lise@Example.com, see ops@example.com, @nobody@example.com. @grace@example.com!"
    comment = comment_on(as_(MEMBER), written, text)
    assert {person.email for person in comment.mentions.all()} == {"grace@example.com", "lise@example.com"}
    assert MEMBER.email in {watcher.get_username() for watcher in written.watchers.all()}  # type: ignore[attr-defined]
    assert not mentioned("no@body")
    for nothing in ("  ", "a\x00b", "x" * 20_001):
        with pytest.raises(FieldError):
            comment_on(as_(MEMBER), written, nothing)


@pytest.mark.parametrize("title", ["Übergabe 🚀 zwischen Schichten", "پیش‌نویس", "=cmd|' /C calc'!A0", "<b>bold</b>"])
def test_titles_are_kept_as_they_are_written(teams: Org, title: str) -> None:
    assert Ticket.objects.get(pk=ticket(title=title).pk).title == title


def test_the_database_refuses_what_services_refuse(teams: Org) -> None:
    written = ticket()
    for wrong in (
        {"title": ""},
        {"due_on": written.starts_on - timedelta(days=1)},
        {"state": "done"},
        {"completed_on": local_today()},
        {"state": "dropped"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Ticket.objects.filter(pk=written.pk).update(**wrong)


def test_a_ticket_needs_an_owner_and_one_of_before_may_stay_without(teams: Org) -> None:
    for missing in ({"owner": ""}, {"owner": None}):
        with pytest.raises(FieldError, match="needs an owner"):
            ticket(**missing)
    without = {name: value for name, value in draft().items() if name != "owner"}
    with pytest.raises(FieldError, match="needs an owner"):
        add_ticket(as_(MANAGER), without)
    owned = ticket()
    with pytest.raises(FieldError, match="needs an owner"):
        change_ticket(as_(MANAGER), owned, {"owner": ""}, of_version=1)
    of_before = ownerless(title="Of before")
    changed = change_ticket(as_(MANAGER), of_before, {"owner": "", "title": "Reworded"}, of_version=1)
    assert (changed.title, changed.owner) == ("Reworded", None)
    changed = change_ticket(as_(MANAGER), changed, {"owner": "ada@example.com"}, of_version=2)
    with pytest.raises(FieldError, match="needs an owner"):
        change_ticket(as_(MANAGER), changed, {"owner": ""}, of_version=3)
