"""Django admin of the organisation, people and identities, and the events it sends."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models.signals import pre_save
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import FactFamily
from integrations.outbox.fact_changes import Change, take_changes
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions.fold import fold_received_batches
from orgtree.models import Identity, IndividualPolicy, Organisation, Person
from orgtree.organisation.people_version import raise_people_version
from tests.telemetry.raw_rows import Event, at, receive

pytestmark = pytest.mark.django_db

TOMORROW = timedelta(days=1)


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin", "admin@example.com"))
    return client


@pytest.fixture
def ada() -> Person:
    """Somebody with one session, on 2 March 2026."""
    receive([Event(at("2026-03-02 10:00"), kind=EventKind.REQUEST, tokens=(1, 2, 3, 4))])
    fold_received_batches()
    drain_changes()
    return Person.objects.get(email="ada@example.com")


def drain_changes() -> set[Change]:
    with transaction.atomic():
        return set(take_changes())


def test_the_organisation_is_one_row_that_the_list_leads_to(admin: Client) -> None:
    page = admin.get(reverse("admin:orgtree_organisation_changelist"), follow=True)
    assert page.redirect_chain
    assert "Minimum group size" in page.content.decode()
    answer = admin.post(
        reverse("admin:orgtree_organisation_change", args=[1]),
        {
            "name": "Example",
            "individual_policy": "named",
            "minimum_group_size": "7",
            "members_see": "everything",
            "bulk_commit_lines": "4000",
            "bulk_commit_files": "200",
            "link_window_hours": "24",
            "rollout_gap_minutes": "30",
            "lead_time_history_days": "30",
            "repository_attributes": "our.repository",
            "benchmark_set": "dora-2024",
            "peers": "organisation_size:fewer_than_100",
        },
    )
    assert answer.status_code == 302
    organisation = Organisation.current()
    assert (organisation.name, organisation.minimum_group_size) == ("Example", 5)  # rules change on their own page
    assert organisation.peers == "organisation_size:fewer_than_100"
    assert organisation.individual_policy == IndividualPolicy.PSEUDONYMS


def test_what_an_admin_saves_takes_nothing_back_that_came_meanwhile(admin: Client) -> None:
    change = reverse("admin:orgtree_organisation_change", args=[Organisation.current().pk])
    values = {name: value for name, value in admin.get(change).context["adminform"].form.initial.items() if value}

    def meanwhile(**_: object) -> None:
        raise_people_version()

    pre_save.connect(meanwhile, sender=Organisation)
    try:
        assert admin.post(change, {**values, "name": "Example"}).status_code == 302
    finally:
        pre_save.disconnect(meanwhile, sender=Organisation)
    organisation = Organisation.current()
    assert (organisation.name, organisation.people_version) == ("Example", 1)


@pytest.mark.parametrize("size", ["1", "0", "-3", "many"])
def test_a_group_of_fewer_than_two_is_refused(admin: Client, size: str) -> None:
    answer = admin.post(
        reverse("admin:orgtree_organisation_change", args=[Organisation.current().pk]),
        {"name": "Example", "individual_policy": "named", "minimum_group_size": size},
    )
    assert answer.status_code == 200
    assert Organisation.current().minimum_group_size == 5


@pytest.mark.parametrize("search", ["lovelace", "ADA@example", "installation-7"])
def test_people_are_found_by_name_address_and_any_of_their_names(admin: Client, search: str) -> None:
    person = Person.objects.create(full_name="Ada Lovelace", email="ada@example.com")
    Person.objects.create(full_name="Grace Hopper", email="grace@example.com")
    Identity.objects.create(kind="installation", provider="claude_code", value="installation-7", person=person)
    page = admin.get(reverse("admin:orgtree_person_changelist"), {"q": search}).content.decode()
    assert "Ada Lovelace" in page
    assert "Grace Hopper" not in page


def test_a_persons_page_lists_their_names(admin: Client, ada: Person) -> None:
    page = admin.get(reverse("admin:orgtree_person_change", args=[ada.pk])).content.decode()
    assert "ada@example.com" in page


def test_moving_a_name_to_somebody_else_moves_its_figures(admin: Client, ada: Person) -> None:
    grace = Person.objects.create(full_name="Grace Hopper", email="grace@example.com")
    identity = Identity.objects.get()
    answer = admin.post(reverse("admin:orgtree_identity_change", args=[identity.pk]), {"person": str(grace.pk)})
    assert answer.status_code == 302
    identity.refresh_from_db()
    assert identity.person == grace
    day, tomorrow = date(2026, 3, 2), timezone.localdate() + TOMORROW
    assert drain_changes() == {
        Change(FactFamily.AI, day, day + TOMORROW),
        Change(FactFamily.ENROLMENT, day, tomorrow),
    }


def _form(ada: Person, **fields: str) -> dict[str, str]:
    """The form that the page of a person posts, with all of its tables."""
    form = {"full_name": "Ada King", "email": "ada@example.com", **fields}
    tables = {"employments": 0, "leaves": 0, "attributes": 0, "reporting": 0, "identities": ada.identities.count()}
    for table, known in tables.items():
        form.setdefault(f"{table}-TOTAL_FORMS", str(known))
        form.setdefault(f"{table}-INITIAL_FORMS", str(known))
    for position, identity in enumerate(ada.identities.order_by("pk")):
        form |= {f"identities-{position}-id": str(identity.pk), f"identities-{position}-person": str(ada.pk)}
    return form


def test_somebody_who_leaves_is_enrolled_on_other_days(admin: Client, ada: Person) -> None:
    address = reverse("admin:orgtree_person_change", args=[ada.pk])
    new_row = {"employments-TOTAL_FORMS": "1", "employments-0-during_1": "2026-04-01"}
    assert admin.post(address, _form(ada, **new_row)).status_code == 302
    ada.refresh_from_db()
    (employment,) = ada.employments.all()
    assert (ada.full_name, employment.during) == ("Ada King", DateRange(None, date(2026, 4, 1)))
    assert drain_changes() == {Change(FactFamily.ENROLMENT, date(2026, 4, 1), timezone.localdate() + TOMORROW)}
    same = {
        **{"employments-TOTAL_FORMS": "1", "employments-INITIAL_FORMS": "1", "employments-0-id": str(employment.pk)},
        **{"employments-0-person": str(ada.pk), "employments-0-during_1": "2026-04-01"},
    }
    assert admin.post(address, _form(ada, **same)).status_code == 302
    assert drain_changes() == set()


def test_days_that_overlap_are_refused_in_words(admin: Client, ada: Person) -> None:
    rows = {
        **{"employments-TOTAL_FORMS": "2", "employments-0-during_0": "2026-01-01"},
        **{"employments-1-during_0": "2025-01-01", "employments-1-during_1": "2026-02-01"},
    }
    answer = admin.post(reverse("admin:orgtree_person_change", args=[ada.pk]), _form(ada, **rows))
    assert answer.status_code == 200
    assert "overlap. End the first before the second begins" in answer.content.decode()
    assert not ada.employments.exists()


def test_nobody_is_put_above_themselves(admin: Client, ada: Person) -> None:
    grace = Person.objects.create(full_name="Grace Hopper", email="grace@example.com")
    grace.reporting.create(manager=ada, during=DateRange(date(2026, 1, 1), None))
    rows = {
        **{"reporting-TOTAL_FORMS": "1", "reporting-0-manager": str(grace.pk)},
        **{"reporting-0-during_0": "2026-03-01"},
    }
    answer = admin.post(reverse("admin:orgtree_person_change", args=[ada.pk]), _form(ada, **rows))
    assert "would be above themselves" in answer.content.decode()
    rows["reporting-0-during_1"] = "2026-05-01"
    grace.reporting.update(during=DateRange(date(2026, 5, 1), None))
    assert admin.post(reverse("admin:orgtree_person_change", args=[ada.pk]), _form(ada, **rows)).status_code == 302


def test_an_address_that_is_changed_stays_an_identity(admin: Client, ada: Person) -> None:
    form = _form(ada, email="ada.king@example.com")
    assert admin.post(reverse("admin:orgtree_person_change", args=[ada.pk]), form).status_code == 302
    assert Identity.objects.get(value="ada@example.com").person == ada


def test_people_are_never_deleted_here(admin: Client, ada: Person) -> None:
    assert admin.get(reverse("admin:orgtree_person_delete", args=[ada.pk])).status_code == 403
