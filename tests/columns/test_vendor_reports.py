"""Bills beside spend: whatever a vendor reports, and in whatever order, the columns have it at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import time_machine

from insights.columns.stale import take_changes_out
from insights.models import ColumnPartition
from integrations.connectors.drafts import ProvidedParts, VendorUsageDraft, Who
from integrations.enums import VendorContent, VendorLevel
from integrations.facts.seats import SEAT_HOLDERS, SEAT_USE
from integrations.facts.vendors import (
    AGENT_USE,
    BILL_ENTRIES,
    VENDOR_ACTIVITY,
    VENDOR_PROJECTS,
    VENDOR_SEATS,
)
from integrations.intake.store_drafts import Stored
from integrations.models import Connection, VendorUsage
from integrations.sync.remove_connection import remove_with_facts
from orgtree.identities.decisions import assign
from orgtree.models import Identity, IdentityKind, Person
from tests.columns.rows import assert_agreement
from tests.columns.states import build_all
from tests.org import Org
from tests.vendor_reports import report_of, store

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
RELATIONS = (
    *(AGENT_USE, BILL_ENTRIES, VENDOR_ACTIVITY, *VENDOR_ACTIVITY.finer, VENDOR_PROJECTS),
    *(VENDOR_SEATS, SEAT_HOLDERS, SEAT_USE),
)


@pytest.mark.usefixtures("org")
def test_reports_are_there_at_once(org: Org) -> None:
    vendor = Connection.objects.create(provider="anthropic", name="Anthropic")

    def seats(day: int, *people: str) -> Stored:
        return store(vendor, [report_of(date(2026, 3, day), *people, content=VendorContent.SEATS)])

    steps: Mapping[str, Callable[[], object]] = {
        "a bill": lambda: store(vendor, [report_of(date(2026, 3, 4), "ada", "ben")]),
        "one that is six days later": lambda: store(vendor, [report_of(date(2026, 3, 10), "ada")]),
        "one between": lambda: store(vendor, [report_of(date(2026, 3, 6), "ben")]),
        "an earlier one": lambda: store(vendor, [report_of(date(2026, 3, 2), "ada")]),
        "a person less, another price": lambda: store(vendor, [report_of(date(2026, 3, 4), "ada", dollars="1")]),
        "activity": lambda: store(vendor, [report_of(date(2026, 3, 5), "ada", "cem", content=VendorContent.ACTIVITY)]),
        "teams": lambda: store(vendor, [report_of(date(2026, 3, 5), "ada", content=VendorContent.TEAMS)]),
        "seats": lambda: seats(9, "ada", "cem"),
        "seats a week earlier": lambda: store(
            vendor, [report_of(date(2026, 3, 2), "cem", content=VendorContent.SEATS)]
        ),
        "seats between": lambda: store(
            vendor, [report_of(date(2026, 3, 5), "ada", "ben", content=VendorContent.SEATS)]
        ),
        "somebody else's identity": lambda: assign(
            Identity.objects.filter(person__email="cem@example.com"),
            Person.objects.get(email="ben@example.com"),
            by=None,
        ),
        "no vendor": lambda: remove_with_facts(vendor),
    }
    with time_machine.travel(NOW, tick=False):
        org.people(*({"full_name": name.title(), "email": f"{name}@example.com"} for name in ("ada", "ben", "cem")))
        for day in (3, 4, 5, 6, 8, 10, 12):
            org.session(by="ada", on=date(2026, 3, day), requests=2, tokens=400_000)
        org.fold()
        take_changes_out()
        build_all()
        for name, step in steps.items():
            step()
            assert_agreement(RELATIONS, context=f"{name}, in the outbox")
            take_changes_out()
            assert_agreement(RELATIONS, context=f"{name}, marked")
            build_all()
            assert not ColumnPartition.objects.exclude(stale_since=None).exists()


def test_a_day_is_replaced_as_a_whole_and_twice_is_once() -> None:
    vendor = Connection.objects.create(provider="anthropic", name="Anthropic")
    assert store(vendor, [report_of(date(2026, 3, 4), "ada", "ben")]).added == 1
    assert store(vendor, [report_of(date(2026, 3, 4), "ada", "ben")]).unchanged == 1
    assert store(vendor, [report_of(date(2026, 3, 4), "ada")]).changed == 1
    (left,) = VendorUsage.objects.all()
    assert (str(left.cost), left.person and left.person.value) == ("2.5000000000", "ada@example.com")


def test_the_login_of_another_provider_is_its_own() -> None:
    """Copilot's people are those of pull requests at GitHub, whatever the connection is called."""
    person = Person.objects.create(full_name="Ada", email="ada@example.com")
    Identity.objects.create(kind=IdentityKind.LOGIN, provider="github", value="ada", person=person)
    seat = VendorUsageDraft(level=VendorLevel.PERSON, person=Who(login="Ada", at="github"), agent="copilot")
    report = replace(report_of(date(2026, 3, 4), content=VendorContent.SEATS), usage=ProvidedParts([seat]))
    store(Connection.objects.create(provider="copilot", name="Copilot"), [report])
    assert [usage.person and usage.person.person for usage in VendorUsage.objects.all()] == [person]
