"""Notes on charts: who writes them, whose charts they stand on, and what is kept of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.authorship import account_of
from core.write_errors import MayNotWriteError
from insights.annotations.notes import marks_of, notes_on
from insights.annotations.writing import (
    AnnotationDraft,
    add_annotation,
    change_annotation,
    remove_annotation,
)
from insights.models import Annotation
from insights.query import windows
from insights.query.errors import QueryError, UnknownUnitError
from insights.query.query import WHOLE_ORGANISATION, Scope, Window
from orgtree.access.access import access_of
from orgtree.models import UnitPlace
from orgtree.trees.unit_placements import rebuild_unit_placements
from tests.org import Org
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user
from tests.teams import Teams, create_teams

MONDAY = date(2026, 9, 7)
WEEKS = Window(date(2026, 8, 31), date(2026, 9, 28))
HOSTILE = "<script>alert('x')</script>"

SignIn = Callable[[Persona], Client]


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams()


def say(text: str, *, unit: str = "", about: str = "", start: date = MONDAY, days: int = 1) -> AnnotationDraft:
    return AnnotationDraft(text, start, start + timedelta(days=days), unit, about)


def write(persona: Persona, draft: AnnotationDraft) -> Annotation:
    return add_annotation(access_of(create_user(persona)), draft)


def read(unit: str = "", key: str = "ai.spend", window: Window = WEEKS) -> list[str]:
    scope = Scope.of_unit(unit) if unit else WHOLE_ORGANISATION
    return [note.text for note in notes_on(key, scope, window, access_of(create_user(ADMIN)))]


def test_a_note_stands_on_the_charts_of_its_unit_and_of_those_below(teams: Teams) -> None:
    write(EXECUTIVE, say("Code freeze"))
    write(EXECUTIVE, say("Reorganisation", unit="engineering"))
    write(MANAGER, say("New rota", unit="platform"))
    assert read() == ["Code freeze"]
    assert read("engineering") == ["Code freeze", "Reorganisation"]
    assert read("platform") == ["Code freeze", "Reorganisation", "New rota"]
    assert read("search") == ["Code freeze", "Reorganisation"]


def test_a_unit_that_moves_keeps_the_notes_of_where_it_was(teams: Teams) -> None:
    UnitPlace.objects.filter(unit=teams.search).update(during=(date(2025, 1, 1), MONDAY))
    UnitPlace.objects.create(unit=teams.search, parent=teams.platform, during=(MONDAY, None))
    rebuild_unit_placements([teams.tree.pk])
    write(EXECUTIVE, say("Before", unit="platform", start=MONDAY - timedelta(days=1)))
    write(EXECUTIVE, say("After", unit="platform"))
    assert read("search") == ["After"]


@pytest.mark.parametrize(
    ("about", "keys"),
    [
        ("", {"ai.spend", "ai.tokens", "commit.count"}),
        ("ai", {"ai.spend", "ai.tokens"}),
        ("ai.spend", {"ai.spend"}),
    ],
)
def test_a_note_is_about_every_chart_a_family_or_one_metric(teams: Teams, about: str, keys: set[str]) -> None:
    write(EXECUTIVE, say("New price list", about=about))
    assert {key for key in ("ai.spend", "ai.tokens", "commit.count") if read(key=key)} == keys


def test_only_notes_of_the_window_stand(teams: Teams) -> None:
    for name, start, days in (
        ("ended the day before", WEEKS.start - timedelta(days=3), 3),
        ("reaches in", WEEKS.start - timedelta(days=3), 4),
        ("begins on the last day", WEEKS.end - timedelta(days=1), 9),
        ("begins the day after", WEEKS.end, 1),
    ):
        write(EXECUTIVE, say(name, start=start, days=days))
    assert read() == ["reaches in", "begins on the last day"]


def test_a_note_marks_the_buckets_of_its_first_and_last_day(teams: Teams) -> None:
    weeks = [WEEKS.start + timedelta(weeks=n) for n in range(4)]
    write(EXECUTIVE, say("reaches in", start=WEEKS.start - timedelta(days=3), days=4))
    write(EXECUTIVE, say("a Sunday and a Monday", start=MONDAY + timedelta(days=6), days=2))
    write(EXECUTIVE, say("the last Sunday", start=WEEKS.end - timedelta(days=1), days=9))
    notes = notes_on("ai.spend", WHOLE_ORGANISATION, WEEKS, access_of(create_user(ADMIN)))
    assert [(mark.text, mark.index, mark.last) for mark in marks_of(notes, weeks)] == [
        ("reaches in", 0, 0),
        ("a Sunday and a Monday", 1, 2),
        ("the last Sunday", 3, 3),
    ]


MAY_WRITE = {
    ADMIN: {"", "engineering", "platform", "search"},
    EXECUTIVE: {"", "engineering", "platform", "search"},
    MANAGER: {"platform"},
    MEMBER: set(),
    AUDITOR: set(),
}


@pytest.mark.parametrize("persona", MAY_WRITE, ids=lambda persona: persona.name)
def test_who_may_write_for_whom(teams: Teams, persona: Persona) -> None:
    allowed = set()
    for unit in ("", "engineering", "platform", "search"):
        try:
            write(persona, say("x", unit=unit))
        except (MayNotWriteError, UnknownUnitError):
            continue
        allowed.add(unit)
    assert allowed == MAY_WRITE[persona]


def test_a_unit_that_one_may_not_know_is_unknown(teams: Teams) -> None:
    for unit in ("search", "nowhere"):
        with pytest.raises(UnknownUnitError, match=unit):
            write(MANAGER, say("x", unit=unit))


def test_members_read_what_stands_on_their_charts_and_nothing_else(teams: Teams, sign_in: SignIn) -> None:
    for unit in ("", "engineering", "platform", "search"):
        write(EXECUTIVE, say(f"of {unit or 'everybody'}", unit=unit))
    for persona, expected in (
        (MEMBER, {"of everybody", "of engineering", "of platform"}),
        (OTHER_MEMBER, {"of everybody", "of engineering", "of search"}),
    ):
        client = sign_in(persona)
        listed = client.get("/api/v1/annotations/").json()
        assert {note["text"] for note in listed["annotations"]} == expected
        assert listed["total"] == len(expected)
        page = client.get("/insights/annotations/").content.decode()
        assert all(text in page for text in expected)
        hidden = Annotation.objects.exclude(text__in=expected).get()
        assert hidden.text not in page
        assert client.get(f"/insights/annotations/{hidden.pk}/").status_code == 404
        assert client.get(f"/api/v1/annotations/{hidden.pk}/").status_code == 404


def test_a_note_is_changed_by_its_author_and_by_admins(teams: Teams) -> None:
    note = write(MANAGER, say("Rota pausd", unit="platform"))
    with pytest.raises(MayNotWriteError):
        change_annotation(access_of(create_user(EXECUTIVE)), note, say("mine now", unit="platform"))
    with pytest.raises(MayNotWriteError):
        remove_annotation(access_of(create_user(MEMBER)), note)
    change_annotation(access_of(create_user(MANAGER)), note, say("Rota paused", unit="platform"))
    assert read("platform") == ["Rota paused"]
    remove_annotation(access_of(create_user(ADMIN)), note)
    assert read("platform") == []


def test_nobody_moves_a_note_to_a_unit_that_they_do_not_manage(teams: Teams) -> None:
    note = write(MANAGER, say("Rota paused", unit="platform"))
    for unit, refusal in (("search", UnknownUnitError), ("", MayNotWriteError)):
        with pytest.raises(refusal):
            change_annotation(access_of(create_user(MANAGER)), note, say("Rota paused", unit=unit))


def test_the_log_keeps_every_change_and_refuses_to_be_changed(teams: Teams) -> None:
    manager = create_user(MANAGER)
    author = access_of(manager)
    note = add_annotation(author, say("Rota pausd", unit="platform"))
    change_annotation(author, note, say("Rota paused", unit="platform"))
    change_annotation(author, note, say("Rota paused", unit="platform"))  # no change
    remove_annotation(author, note)
    log = apps.get_model("insights", "AnnotationEvent")._default_manager.order_by("pgh_id")
    assert {account_of(event) for event in log.select_related("pgh_context")} == {manager.pk}
    assert list(log.values_list("pgh_label", "text")) == [
        ("added", "Rota pausd"),
        ("changed", "Rota paused"),
        ("removed", "Rota paused"),
    ]
    for change in (lambda: log.update(text="Nothing happened"), log.delete):
        with pytest.raises(DatabaseError, match="Cannot update or delete rows"), transaction.atomic():
            change()


WRONG: Sequence[tuple[AnnotationDraft, str]] = [
    (say(" \n\t "), "text"),
    (say("x" * 201), "text"),
    (say("bell \x07"), "text"),
    (say("x", days=0), "to"),
    (say("x", days=-1), "to"),
    (say("x", days=367), "to"),
    (say("x", start=date(1999, 12, 31)), "from"),
    (say("x", start=date(2999, 1, 1)), "from"),
    (say("x", about="ai.nonsense"), "about"),
]


def test_what_cannot_be_said_so_names_the_field(teams: Teams, subtests: pytest.Subtests) -> None:
    for draft, field in WRONG:
        with subtests.test(draft=draft):
            with pytest.raises(QueryError) as refused:
                write(ADMIN, draft)
            assert refused.value.field == field
            assert not Annotation.objects.exists()


def test_a_note_is_in_the_charts_json_and_csv(teams: Teams, admin: Client) -> None:
    today = windows.local_today()
    write(ADMIN, say(HOSTILE, start=today - timedelta(days=20), days=3))
    for address in ("/insights/metrics/ai.spend/charts/trend", "/insights/ai/charts/active_share"):
        (mark,) = admin.get(f"{address}/").json()["marks"]
        assert mark["text"] == HOSTILE
        assert mark["url"] == f"/insights/annotations/{Annotation.objects.get().pk}/"
        table = list(csv.DictReader(io.StringIO(admin.get(f"{address}.csv").getvalue().decode("utf-8-sig"))))
        assert [HOSTILE in row["Notes"] for row in table].index(True) == mark["index"]
        assert sum(bool(row["Notes"]) for row in table) == 1


def test_a_chart_asks_one_query_more_however_many_notes_there_are(teams: Teams, admin: Client) -> None:
    address = "/insights/metrics/ai.spend/charts/trend/"
    admin.get(address)
    counts = []
    for _ in range(2):
        write(ADMIN, say("x", start=windows.local_today() - timedelta(days=9)))
        write(ADMIN, say("y", start=windows.local_today() - timedelta(days=9)))
        with CaptureQueriesContext(connection) as queries:
            admin.get(address)
        counts.append(len(queries))
        assert sum("insights_annotation" in query["sql"] for query in queries) == 1
    assert counts[0] == counts[1]


def test_only_whoever_may_write_is_offered_to(teams: Teams, sign_in: SignIn) -> None:
    address = "/insights/metrics/ai.spend/"
    form = "/insights/annotations/new/?about=ai.spend&amp;unit=platform"
    assert form in sign_in(MANAGER).get(address, {"unit": "platform"}).content.decode()
    assert form not in sign_in(MEMBER).get(address, {"unit": "platform"}).content.decode()
    assert sign_in(MEMBER).get("/insights/annotations/new/").status_code == 403


FIELDS = {"text": "Rota paused", "first_day": "2026-09-07", "last_day": "2026-09-14", "whose": "platform", "about": ""}


def test_the_form_in_the_side_panel_answers_that_the_charts_changed(teams: Teams, sign_in: SignIn) -> None:
    client, address = sign_in(MANAGER), "/insights/annotations/new/?unit=platform&about=ai.spend"
    form = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in form
    assert "AI metrics" in form
    answer = client.post(address, FIELDS, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Trigger"]) == (204, "headway:notes")
    note = Annotation.objects.get()
    assert (note.text, note.start, note.end, note.unit) == (
        "Rota paused",
        MONDAY,
        MONDAY + timedelta(days=8),
        teams.platform,
    )


def test_the_form_works_without_a_script_and_says_what_is_wrong(teams: Teams, sign_in: SignIn) -> None:
    client, address = sign_in(MANAGER), "/insights/annotations/new/?unit=platform"
    wrong = client.post(address, {**FIELDS, "last_day": "2026-09-01"})
    assert wrong.status_code == 400
    assert "It must end after it starts" in wrong.content.decode()
    assert client.post(address, {**FIELDS, "whose": "search"}).status_code == 400
    assert not Annotation.objects.exists()
    assert client.post(address, FIELDS).status_code == 302
    note = Annotation.objects.get()
    shown = client.get(f"/insights/annotations/{note.pk}/").content.decode()
    assert "Rota paused" in shown
    assert client.post(f"/insights/annotations/{note.pk}/", {**FIELDS, "text": HOSTILE}).status_code == 302
    shown = client.get("/insights/annotations/").content.decode()
    assert HOSTILE not in shown
    assert "&lt;script&gt;" in shown
    assert client.post(f"/insights/annotations/{note.pk}/remove/").status_code == 302
    assert not Annotation.objects.exists()


def test_a_reader_reads_a_note_and_cannot_change_it(teams: Teams, member: Client) -> None:
    note = write(MANAGER, say("Rota paused", unit="platform"))
    address = f"/insights/annotations/{note.pk}/"
    page = member.get(address).content.decode()
    assert "Rota paused" in page
    assert "<textarea" not in page
    assert member.post(address, FIELDS).status_code == 403
    assert member.post(f"{address}remove/").status_code == 403
    assert Annotation.objects.get().text == "Rota paused"
