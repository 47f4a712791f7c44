"""The people pages: import with preview, the list, and a person's history."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.backends.postgresql.psycopg_any import DateRange
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from orgtree.models import Membership, OrgTree, PeopleImport, Person, TreeKind, Unit, UnitPlace
from orgtree.trees.placements import rebuild_placements
from orgtree.trees.trees import create_tree
from tests.orgtree.people.files import as_file, load, person, values
from tests.personas import Persona

FIRST = """
    full_name,email,manager_email,team
    Grace Hopper,grace@example.com,,Platform
    Ada Lovelace,ada@example.com,grace@example.com,Payments
"""


def upload(client: Client, text: str, **fields: str) -> HttpResponse:
    file = SimpleUploadedFile("people.csv", as_file(text), "text/csv")
    return client.post(reverse("people_import"), {"file": file, **fields}, follow=True)  # type: ignore[return-value]


def test_a_file_is_looked_at_and_then_applied(admin: Client) -> None:
    page = upload(admin, FIRST)
    assert "Ada Lovelace" in page.content.decode()
    assert not Person.objects.filter(full_name="Ada Lovelace").exists()
    stored = PeopleImport.objects.get()
    answer = admin.post(reverse("people_import_preview", args=[stored.public_id]), follow=True)
    assert "people.csv is applied: 2 added" in answer.content.decode()
    assert values("ada", "team") == [("Payments", "always")]
    stored.refresh_from_db()
    assert (bytes(stored.content), stored.counts["added"]) == (b"", 2)
    assert admin.get(reverse("people_import_preview", args=[stored.public_id])).status_code == 404


def test_the_preview_names_errors_with_row_and_column_and_can_not_be_applied(admin: Client) -> None:
    page = upload(admin, FIRST + "    Alan Turing,alan@example.com,nobody@example.com,Payments").content.decode()
    assert "nobody@example.com” is unknown" in page
    assert "<code>manager_email</code>" in page
    assert "Upload the corrected file" in page
    stored = PeopleImport.objects.get()
    assert admin.post(reverse("people_import_preview", args=[stored.public_id])).status_code == 409
    assert not Person.objects.filter(full_name="Ada Lovelace").exists()


def test_what_changed_since_the_preview_is_not_applied_unseen(admin: Client) -> None:
    load(FIRST)
    upload(admin, "email,team\nada@example.com,Search")
    stored = PeopleImport.objects.get()
    load("email,team\nada@example.com,Mobile")
    answer = admin.post(reverse("people_import_preview", args=[stored.public_id]))
    assert answer.status_code == 409
    assert "People have changed since this preview" in answer.content.decode()
    assert values("ada", "team")[-1][0] == "Mobile"
    assert admin.post(reverse("people_import_preview", args=[stored.public_id])).status_code == 302
    assert values("ada", "team")[-1][0] == "Search"


def test_the_whole_preview_can_be_downloaded_with_the_units_that_move(admin: Client) -> None:
    load(FIRST + "    Alan Turing,alan@example.com,grace@example.com,\n    Mary Ross,mary@example.com,ada@example.com,")
    create_tree("Reporting lines", TreeKind.MANAGERS)
    page = upload(admin, "email,manager_email\nada@example.com,alan@example.com\nnew@example.com,ada@example.com")
    stored = PeopleImport.objects.get()
    fingerprint = stored.fingerprint
    answer = admin.get(reverse("people_import_preview_csv", args=[stored.public_id]))
    lines = answer.getvalue().decode().lstrip("\ufeff").splitlines()
    assert lines[0] == "outcome,row,name,email,what,before,after"
    moved = "unit moved,,Ada Lovelace’s team,,Reporting lines,Grace Hopper’s team,Alan Turing’s team"
    assert moved in lines
    assert "moved,2,Ada Lovelace,ada@example.com,Manager,grace@example.com,alan@example.com" in lines
    assert [line.partition(",")[0] for line in lines].count("added") == 1
    assert "Grace Hopper’s team</td><td>Alan Turing’s team" in page.content.decode()
    stored.refresh_from_db()
    assert (stored.fingerprint, Person.objects.filter(email="new@example.com").exists()) == (fingerprint, False)


def test_the_import_leads_to_invitations(admin: Client) -> None:
    assert f'href="{reverse("invitations")}"' in admin.get(reverse("people_import")).content.decode()


def test_a_file_can_be_discarded(admin: Client) -> None:
    upload(admin, FIRST)
    stored = PeopleImport.objects.get()
    assert admin.post(reverse("people_import_discard", args=[stored.public_id])).status_code == 302
    assert not PeopleImport.objects.exists()


@pytest.mark.parametrize("fields", [{"effective": "soon"}, {"file": ""}])
def test_a_form_that_is_wrong_says_so(admin: Client, fields: dict[str, str]) -> None:
    file = SimpleUploadedFile("people.csv", as_file(FIRST))
    answer = admin.post(reverse("people_import"), {"file": file, **fields})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


def test_nobody_but_admins_imports(member: Client) -> None:
    assert upload(member, FIRST).status_code == 404
    assert not PeopleImport.objects.exists()


def test_formulas_and_markup_in_names_are_only_text(admin: Client) -> None:
    page = upload(admin, 'full_name,email\n"=HYPERLINK(""http://example.com"")<b>Ada</b>",ada@example.com')
    assert "=HYPERLINK(&quot;http://example.com&quot;)&lt;b&gt;Ada&lt;/b&gt;" in page.content.decode()


def test_people_are_found_by_words_and_attributes(admin: Client) -> None:
    load(FIRST)
    for query, names in (
        ("q=lovelace", {"Ada"}),
        ("attribute=team&value=platform", {"Grace"}),
        ("q=e", {"Ada", "Grace"}),
    ):
        page = admin.get(f"{reverse('people')}?{query}").content.decode()
        assert {
            name for name, full in (("Ada", "Ada Lovelace"), ("Grace", "Grace Hopper")) if f">{full}</bdi></a>" in page
        } == names
    load("email,end\nada@example.com,2026-02-01")
    assert "Ada Lovelace</bdi></a>" not in admin.get(reverse("people")).content.decode()
    assert "Ada Lovelace</bdi></a>" in admin.get(f"{reverse('people')}?state=left").content.decode()


def test_a_persons_page_tells_their_history(admin: Client) -> None:
    load(FIRST, on="2026-01-01")
    load("email,team\nada@example.com,Search", on="2026-03-02")
    page = admin.get(reverse("person", args=[person("ada").public_id])).content.decode()
    assert all(text in page for text in ("Payments", "Search", "2 Mar 2026", "Grace Hopper"))


def test_managers_see_whom_they_manage_and_members_themselves(sign_in: Callable[[Persona], Client]) -> None:
    load(FIRST + "    Alan Turing,alan@example.com,,Search")
    tree = OrgTree.objects.create(name="Engineering", slug="engineering", kind=TreeKind.HAND_BUILT)
    unit = Unit.objects.create(tree=tree, name="Payments", slug="payments", leader=person("grace"))
    UnitPlace.objects.create(unit=unit, during=DateRange(None, None))
    Membership.objects.create(tree=tree, unit=unit, person=person("ada"), during=DateRange(None, None))
    rebuild_placements()
    seen = {}
    for name in ("ada", "grace"):
        client = sign_in(Persona(name))
        page = client.get(reverse("people")).content.decode()
        seen[name] = [other for other in ("ada", "grace", "alan") if str(person(other).public_id) in page]
        for other in ("ada", "grace", "alan"):
            status = client.get(reverse("person", args=[person(other).public_id])).status_code
            assert status == (200 if other in seen[name] else 404)
    assert seen == {"ada": ["ada"], "grace": ["ada", "grace"]}
