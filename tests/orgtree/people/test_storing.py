"""Storing a people file: who is added, changed, moved, leaves and returns, and effective dates."""

from __future__ import annotations

from datetime import date

import pytest
from django.db.models import F

from orgtree.models import (
    Attribute,
    Employment,
    Identity,
    IdentityKind,
    OrgTree,
    Person,
    PersonAttribute,
    Placement,
    TreeKind,
)
from orgtree.people_import.comparing import date_ranges
from orgtree.people_import.drafts import Outcome, PersonDraft
from orgtree.people_import.store import store_people
from orgtree.trees.derivation.structure import Structure
from orgtree.trees.structures import Naming, Stored, store_structure
from orgtree.trees.trees import create_tree, sync_trees
from orgtree.trees.units import move_person
from tests.orgtree.people.files import counts, errors, load, managers, person, preview, there, values

pytestmark = pytest.mark.django_db

FIRST = """
    full_name,email,manager_email,team,site
    Grace Hopper,grace@example.com,,Platform,Pune
    Ada Lovelace,ada@example.com,grace@example.com,Payments,London
    Alan Turing,alan@example.com,grace@example.com,Payments,London
"""


def test_a_first_file_adds_people_and_what_it_says_has_always_held() -> None:
    assert counts(load(FIRST)) == {"added": 3}
    assert values("ada", "team") == [("Payments", "always")]
    assert managers("ada") == [("grace", "always")]
    assert managers("grace") == []
    assert there("ada") == "always"


def test_what_is_said_for_the_first_time_has_held_since_the_start() -> None:
    load("email,team,start\nada@example.com,Payments,2024-01-01\ngrace@example.com,Payments,")
    assert values("ada", "team") == [("Payments", "from 2024-01-01")]
    assert values("grace", "team") == [("Payments", "always")]


def test_with_an_effective_date_it_holds_from_that_day_on() -> None:
    load(FIRST, on="2026-03-02")
    assert values("ada", "team") == [("Payments", "from 2026-03-02")]
    assert managers("ada") == [("grace", "from 2026-03-02")]


def test_the_same_file_again_changes_nothing() -> None:
    load(FIRST, on="2026-03-02")
    rows = [list(model.objects.order_by("pk").values_list()) for model in (Person, PersonAttribute, Employment)]
    for day in ("2026-03-02", "2026-06-01", None):
        assert counts(load(FIRST, on=day)) == {"unchanged": 3}
    assert rows == [list(model.objects.order_by("pk").values_list()) for model in (Person, PersonAttribute, Employment)]


def test_a_dry_run_tells_the_same_and_stores_nothing() -> None:
    assert counts(preview(FIRST)) == {"added": 3}
    assert not Person.objects.exists()
    assert not Attribute.objects.exists()
    assert counts(load(FIRST)) == {"added": 3}


def test_a_change_leaves_the_past_as_it_was() -> None:
    load(FIRST, on="2026-01-01")
    changes = load("email,team,manager_email\nada@example.com,Search,alan@example.com", on="2026-03-02")
    assert counts(changes) == {"moved": 1}
    assert values("ada", "team") == [("Payments", "2026-01-01 – 2026-03-02"), ("Search", "from 2026-03-02")]
    assert managers("ada") == [("grace", "2026-01-01 – 2026-03-02"), ("alan", "from 2026-03-02")]
    assert values("ada", "site") == [("London", "from 2026-01-01")]


def test_a_file_of_an_earlier_day_replaces_what_began_later() -> None:
    load(FIRST, on="2026-01-01")
    load("email,team\nada@example.com,Search", on="2026-05-01")
    load("email,team\nada@example.com,Mobile", on="2026-03-01")
    assert values("ada", "team") == [("Payments", "2026-01-01 – 2026-03-01"), ("Mobile", "from 2026-03-01")]
    load("email,team\nada@example.com,Payments", on="2026-02-01")
    assert values("ada", "team") == [("Payments", "from 2026-01-01")]


def test_an_empty_cell_says_that_there_is_none_and_a_missing_column_nothing() -> None:
    load(FIRST, on="2026-01-01")
    load("email,team,manager_email\nada@example.com,,", on="2026-03-01")
    assert values("ada", "team") == [("Payments", "2026-01-01 – 2026-03-01")]
    assert managers("ada") == [("grace", "2026-01-01 – 2026-03-01")]
    load("email\nalan@example.com")
    assert values("alan", "team") == [("Payments", "from 2026-01-01")]


def test_who_is_absent_stays_unless_the_file_is_complete() -> None:
    load(FIRST, on="2026-01-01")
    Person.objects.create(full_name="Found In Data", email="found@example.com", found_in_data=True)
    listed = "email\ngrace@example.com\nada@example.com"
    assert counts(load(listed)) == {"unchanged": 2}
    assert counts(load(listed, on="2026-04-01", complete=True)) == {"leaving": 1, "unchanged": 2}
    assert there("alan") == "until 2026-04-01"
    assert there("found") == ""


def test_a_complete_file_with_nobody_in_it_is_refused() -> None:
    load(FIRST)
    assert errors(load("email,full_name", complete=True)) == [(None, None)]
    assert there("ada") == "always"


def test_only_an_end_lets_somebody_leave_and_an_empty_one_lets_them_return() -> None:
    load("email,start,end\nada@example.com,2024-01-01,2026-03-01")
    assert there("ada") == "2024-01-01 – 2026-03-01"
    assert counts(load("email,team\nada@example.com,Payments", on="2026-04-01")) == {"changed": 1}
    assert there("ada") == "2024-01-01 – 2026-03-01"
    load("email,start,end\nada@example.com,2024-01-01,", on="2026-06-01")
    assert there("ada") == "2024-01-01 – 2026-03-01, from 2026-06-01"
    again = load("email,start,end\nada@example.com,2024-01-01,", on="2026-06-02")
    assert counts(again) == {"unchanged": 1}


def test_a_start_after_the_end_is_a_return_and_makes_two_employments() -> None:
    load("email,start,end\nada@example.com,2024-01-01,2026-03-01")
    load("email,start,end\nada@example.com,2026-05-01,")
    assert there("ada") == "2024-01-01 – 2026-03-01, from 2026-05-01"
    assert counts(load("email,start,end\nada@example.com,2026-05-01,2026-09-01")) == {"leaving": 1}
    assert there("ada") == "2024-01-01 – 2026-03-01, 2026-05-01 – 2026-09-01"


def test_a_start_is_corrected_and_an_end_that_lies_ahead_taken_back() -> None:
    load("email,start,end\nada@example.com,2024-01-01,2026-03-01")
    load("email,start,end\nada@example.com,2024-02-01,", on="2026-02-01")
    assert there("ada") == "from 2024-02-01"


def test_a_complete_file_lets_who_is_listed_again_return() -> None:
    load(FIRST)
    load("email\ngrace@example.com", on="2026-04-01", complete=True)
    load(FIRST, on="2026-06-01", complete=True)
    assert there("ada") == "until 2026-04-01, from 2026-06-01"


def test_a_changed_address_is_recognised_by_the_old_one_among_the_identities() -> None:
    load(FIRST)
    changes = load("email,previous_email\nada.king@example.com,ada@example.com")
    assert counts(changes) == {"changed": 1}
    ada = Person.objects.get(full_name="Ada Lovelace")
    assert ada.email == "ada.king@example.com"
    assert set(ada.identities.values_list("value", flat=True)) >= {"ada@example.com", "ada.king@example.com"}
    assert counts(load("email,team\nada@example.com,Payments")) == {"changed": 1}  # the address is theirs still
    assert Person.objects.count() == 3


def _found(name: str, *identities: tuple[str, str, str]) -> None:
    """Somebody whom synced data brought under these identities, the address first."""
    found = Person.objects.create(full_name=name, email=identities[0][2], found_in_data=True)
    for kind, provider, value in identities:
        Identity.objects.create(kind=kind, provider=provider, value=value, person=found)


class TestAnAddressThatDataBroughtBeforeTheRow:
    """Commits under a new address are read before HR says whose it is."""

    def test_the_row_that_names_the_old_address_takes_it_over(self) -> None:
        load("full_name,email,team,identities\nAda Alt,ada.alt@example.com,Payments,ada-dev")
        _found("Ada Neu", ("email", "", "ada.neu@example.com"), ("installation", "claude_code", "machine-1"))
        changes = load("full_name,email,previous_email,identities\n"
                       "Ada Neu,ada.neu@example.com,ada.alt@example.com,ada-dev")  # fmt: skip
        assert counts(changes) == {"changed": 1}
        ada = Person.objects.get()
        assert (ada.full_name, ada.email) == ("Ada Neu", "ada.neu@example.com")
        values_ = set(ada.identities.values_list("value", flat=True))
        assert values_ == {"ada.neu@example.com", "ada.alt@example.com", "ada-dev", "machine-1"}

    def test_so_does_one_that_names_a_known_login_alone(self) -> None:
        load("email,identities\nada.alt@example.com,github:ada-dev")
        _found("Ada Neu", ("email", "", "ada.neu@example.com"))
        load("email,identities\nada.neu@example.com,github:ada-dev")
        assert Person.objects.get().email == "ada.neu@example.com"

    def test_and_one_with_the_id(self) -> None:
        load("email,team\nada.alt@example.com,Payments")
        known = Person.objects.get()
        _found("Ada Neu", ("email", "", "ada.neu@example.com"))
        store_people([PersonDraft(row=1, public_id=known.public_id, email="ada.neu@example.com")])
        assert Person.objects.get().email == "ada.neu@example.com"

    def test_a_whole_domain_at_once(self) -> None:
        load(FIRST)
        for name in ("grace", "ada", "alan"):
            _found(name, ("email", "", f"{name}@acquired.example"))
        rows = [f"{name}@acquired.example,{name}@example.com" for name in ("grace", "ada", "alan")]
        assert counts(load("\n".join(["email,previous_email", *rows]))) == {"changed": 3}
        assert set(Person.objects.values_list("email", flat=True)) == {
            f"{name}@acquired.example" for name in ("grace", "ada", "alan")
        }

    def test_an_address_of_before_the_last_one_names_them_as_well(self) -> None:
        load("full_name,email\nAda,a1@example.com")
        load("email,previous_email\na2@example.com,a1@example.com")
        _found("Neu", ("email", "", "a3@example.com"))
        for _ in range(2):  # the same file again
            assert not errors(load("email,previous_email\nA3@example.com ,A1@EXAMPLE.COM"))
        assert Person.objects.get().email == "a3@example.com"

    def test_an_old_address_that_nobody_had_says_nothing(self) -> None:
        load(FIRST)
        assert not errors(load("email,previous_email\nbob@example.com,robert@example.com"))
        assert Person.objects.count() == 4

    def test_nobody_else_known_is_taken_over(self) -> None:
        load(FIRST)
        said = errors(load("email,previous_email\nada@example.com,grace@example.com"))
        assert said
        assert Person.objects.count() == 3

    def test_somebody_found_whom_another_row_names_stays_theirs(self) -> None:
        load(FIRST)
        _found("Neu", ("email", "", "neu@example.com"), ("login", "github", "neu"))
        rows = "email,previous_email,identities\nneu@example.com,ada@example.com,\nother@example.com,,github:neu"
        assert errors(load(rows))


def test_whoever_was_merely_found_is_taken_in_by_the_row_that_names_them() -> None:
    synced = Person.objects.create(full_name="Ada", email="ada@home.example", found_in_data=True)
    for kind, provider, value in (("email", "", "ada@home.example"), ("installation", "claude_code", "machine-1")):
        Identity.objects.create(kind=kind, provider=provider, value=value, person=synced)
    Person.objects.create(full_name="Ada", email="ada@example.com")
    load("full_name,email,identities\nAda Lovelace,ada@example.com,ada@home.example;github:adal")
    ada = Person.objects.get()
    assert (ada.full_name, ada.email) == ("Ada Lovelace", "ada@example.com")
    assert set(ada.identities.values_list("kind", "provider", "value")) == {
        ("email", "", "ada@example.com"),
        ("email", "", "ada@home.example"),
        ("installation", "claude_code", "machine-1"),
        ("login", "github", "adal"),
    }


def test_a_login_that_is_known_names_its_person() -> None:
    synced = Person.objects.create(full_name="adal", found_in_data=True)
    Identity.objects.create(kind=IdentityKind.LOGIN, provider="github", value="AdaL", person=synced)
    load("full_name,email,logins\nAda Lovelace,ada@example.com,adal")
    assert Person.objects.get() == synced
    assert person("ada").full_name == "Ada Lovelace"


def test_who_moves_says_from_where_to_where() -> None:
    load(FIRST, on="2026-01-01")
    (moved,) = load("email,team\nada@example.com,Search").of(Outcome.MOVED)
    assert [(field.field, field.before, field.after) for field in moved.fields] == [("team", "Payments", "Search")]
    assert (moved.row, moved.full_name) == (2, "Ada Lovelace")


def test_a_further_column_becomes_an_attribute_only_where_it_says_something() -> None:
    load("E-Mail;Cost Center;Nothing\nada@example.com;4711;")
    assert values("ada", "cost_center") == [("4711", "always")]
    assert dict(Attribute.objects.values_list("slug", "name")) == {"cost_center": "Cost center"}


def test_trees_follow_and_say_who_moves_where() -> None:
    load(FIRST, on="2026-01-01")
    create_tree("Teams", TreeKind.ATTRIBUTES, attributes=[Attribute.objects.get(slug="team")])
    by_hand = create_tree("By hand", TreeKind.HAND_BUILT)
    move_person(person("ada"), by_hand.units.get(), date(2026, 1, 1))
    (moved,) = preview("email,team\nada@example.com,Platform", on="2026-03-02").of(Outcome.MOVED)
    assert [(unit.tree, unit.from_unit, unit.to_unit) for unit in moved.units] == [("Teams", "Payments", "Platform")]
    assert placed("ada", "Teams") == {"Payments": "from 2026-01-01"}
    load("email,team\nada@example.com,Platform", on="2026-03-02")
    assert placed("ada", "Teams") == {"Payments": "2026-01-01 – 2026-03-02", "Platform": "from 2026-03-02"}
    load("email,end\nada@example.com,2026-06-01")
    assert placed("ada", "Teams") == {"Payments": "2026-01-01 – 2026-03-02", "Platform": "2026-03-02 – 2026-06-01"}
    assert placed("ada", "By hand") == {"By hand": "2026-01-01 – 2026-06-01"}


def placed(name: str, tree: str) -> dict[str, str]:
    """The units of the tree for which the person counts, without those above, and when."""
    rows = Placement.objects.filter(person=person(name), tree__name=tree, unit=F("ancestor")).order_by("during")
    return {row.unit.name: date_ranges([row.during]) for row in rows.select_related("unit")}


@pytest.mark.parametrize(
    ("text", "followed"),
    [
        ("email,role\nada@example.com,Lead", set()),
        ("email,identities\nada@example.com,github:ada", set()),
        ("email,team\nada@example.com,Search", {"teams"}),
        ("email,manager_email\nada@example.com,", {"lines"}),
        ("email,full_name\ngrace@example.com,Grace B. Hopper", {"lines"}),
        ("email,end\nada@example.com,2026-12-01", {"teams", "lines"}),
        ("email\nnew@example.com", {"teams", "lines"}),
    ],
)
def test_only_trees_that_rest_on_what_changed_are_made_anew(
    monkeypatch: pytest.MonkeyPatch, text: str, followed: set[str]
) -> None:
    load(FIRST)
    create_tree("Teams", TreeKind.ATTRIBUTES, attributes=[Attribute.objects.get(slug="team")])
    create_tree("Lines", TreeKind.MANAGERS)
    seen: set[str] = set()

    def noted(tree: OrgTree, structure: Structure, naming: Naming) -> Stored:
        seen.add(tree.slug)
        return store_structure(tree, structure, naming)

    monkeypatch.setattr("orgtree.trees.trees.store_structure", noted)
    load(text)
    assert seen == followed
    assert sync_trees() == (), "nothing is left to do"
