"""Invalid rows are reported with their number, and nothing of the file is stored."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import connection

from orgtree.models import Attribute, Identity, Person, Reporting
from orgtree.people_import import store
from orgtree.people_import.drafts import PersonDraft, RowError
from orgtree.people_import.managers import circles_of
from orgtree.people_import.rows import drafts_of
from orgtree.people_import.store import PeopleRefusedError, store_people
from tests.orgtree.people.files import as_file, counts, errors, load, managers, preview, there, values
from tests.patience import PATIENCE_SECONDS

KNOWN = """
    full_name,email,manager_email,team
    Grace Hopper,grace@example.com,,Platform
    Ada Lovelace,ada@example.com,grace@example.com,Payments
"""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "refused", "message"),
    [
        ("email\nalan@example.com\nALAN@Example.com", [(3, "email")], "is also in row 2"),
        ("email,manager_email\nalan@example.com,nobody@example.com", [(2, "manager_email")], "is unknown"),
        ("email,manager_email\nalan@example.com,Alan@example.com", [(2, "manager_email")], "their own manager"),
        (
            "email,manager_email\nalan@example.com,joan@example.com\njoan@example.com,alan@example.com",
            [(2, "manager_email"), (3, "manager_email")],
            "form a circle",
        ),
        ("email,manager_email\ngrace@example.com,ada@example.com", [(2, "manager_email")], "Grace Hopper"),
        ("email,identities\nalan@example.com,ada@example.com;grace@example.com", [(2, "identities")], "two people"),
        ("email,identities\ngrace@example.com,ada@example.com", [(2, "identities")], "belongs to Ada Lovelace"),
        (
            "email,identities\nalan@example.com,github:x\njoan@example.com,github:x",
            [(3, "identities")],
            "is also in row 2",
        ),
        (
            "email,identities\nada.king@example.com,ada@example.com\nada@example.com,",
            [(3, "email")],
            "the same person as in row 2",
        ),
    ],
)
def test_the_row_is_named_and_nothing_is_stored(text: str, refused: list[tuple[int, str]], message: str) -> None:
    load(KNOWN)
    before = stored()
    changes = load(text)
    assert errors(changes) == refused
    assert message in changes.errors[0].message
    assert stored() == before


def stored() -> list[object]:
    models = (Person, Identity, Reporting, Attribute)
    return [sorted(map(str, model.objects.values_list())) for model in models]


@pytest.mark.django_db
def test_a_file_with_errors_says_what_the_other_rows_would_do() -> None:
    load(KNOWN)
    changes = preview(
        "email,team,manager_email\nada@example.com,Search,\nalan@example.com,Mobile,ada@example.com\nx,y,"
    )
    assert counts(changes) == {"moved": 1, "added": 1, "errors": 1}
    assert values("ada", "team") == [("Payments", "always")]


@pytest.mark.django_db
def test_a_manager_whose_own_row_is_wrong_is_not_unknown() -> None:
    changes = load("email,manager_email,start\nada@example.com,grace@example.com,\ngrace@example.com,,soon")
    assert errors(changes) == [(3, "start")]
    changes = load("email,manager_email\nada@example.com,grace@example.com\ngrace@example.com,,too many cells")
    assert errors(changes) == [(3, None)]


@pytest.mark.django_db
def test_a_circle_of_two_files_is_found_on_the_days_on_which_it_would_be() -> None:
    load("email,manager_email\nada@example.com,\ngrace@example.com,\nalan@example.com,", on="2026-01-01")
    load("email,manager_email\nada@example.com,grace@example.com", on="2026-02-01")
    load("email,manager_email\nada@example.com,", on="2026-04-01")
    changes = load("email,manager_email\ngrace@example.com,ada@example.com", on="2026-03-01")
    assert errors(changes) == [(2, "manager_email")]
    assert "from 2026-03-01 on" in changes.errors[0].message
    assert counts(load("email,manager_email\ngrace@example.com,ada@example.com", on="2026-04-01")) == {"changed": 1}
    assert managers("grace") == [("ada", "from 2026-04-01")]


def test_circles_are_found_once_however_one_gets_into_them() -> None:
    assert [sorted(circle) for circle in circles_of({1: 2, 2: 3, 3: 2, 4: 3, 5: 6})] == [[2, 3]]
    assert list(circles_of({n: n + 1 for n in range(100_000)})) == []


@pytest.mark.django_db
def test_an_end_before_the_known_start_is_refused() -> None:
    load("email,start\nada@example.com,2026-02-01")
    changes = load("email,end\nada@example.com,2026-01-15")
    assert errors(changes) == [(2, "end")]
    assert there("ada") == "from 2026-02-01"


@pytest.mark.django_db
def test_an_import_that_breaks_off_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    load(KNOWN)
    before = stored()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "rebuild_placements", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store_people(drafts_of(as_file("email,team\nada@example.com,Search\nalan@example.com,Search")))
    assert stored() == before
    assert values("ada", "team") == [("Payments", "always")]


@pytest.mark.django_db(transaction=True)
def test_of_two_imports_at_once_the_second_waits_and_sees_what_the_first_did() -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slowly() -> Iterator[PersonDraft | RowError]:
        for draft in drafts_of(as_file(KNOWN)):
            reading.set()
            assert go_on.wait(PATIENCE_SECONDS)
            yield draft

    outcomes: dict[str, object] = {}

    def run(name: str, drafts: Iterator[PersonDraft | RowError]) -> None:
        try:
            outcomes[name] = counts(store_people(drafts))
        except PeopleRefusedError as refused:
            outcomes[name] = counts(refused.changes)
        finally:
            connection.close()

    first = threading.Thread(target=run, args=("first", slowly()))
    first.start()
    assert reading.wait(PATIENCE_SECONDS)
    second = threading.Thread(target=run, args=("second", drafts_of(as_file(KNOWN))))
    second.start()
    go_on.set()
    first.join(PATIENCE_SECONDS)
    second.join(PATIENCE_SECONDS)
    assert outcomes == {"first": {"added": 2}, "second": {"unchanged": 2}}
    assert Person.objects.count() == 2
