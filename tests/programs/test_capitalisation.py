"""Capitalisation: the worked example of its docs, a second count of random worlds, periods, and who sees what."""

from __future__ import annotations

import csv
import hashlib
import io
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.utils import DatabaseError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from core.write_errors import FieldError, MayNotWriteError
from integrations.delivery.allocation.initiative_time import SpendPart, spend_of
from integrations.models import Effort, EffortWeek, InvestmentCategory, WorkItem
from orgtree.access.access import Access, access_of
from orgtree.models import IndividualPolicy, Leave, Organisation, Person
from programs.capitalisation.services import reporting
from programs.capitalisation.services.document import ALL, ELIGIBLE, LISTED, WHOLE, shown_to
from programs.capitalisation.services.eligibility import WorkState, eligibility, is_adopted_early
from programs.capitalisation.services.reporting import frozen_report, live_report
from programs.capitalisation.services.writing import (
    CHANGED_SINCE_APPROVAL,
    add_evidence,
    add_period,
    approve_period,
    change_evidence,
    change_period,
    freeze_period,
    remove_evidence,
    remove_period,
)
from programs.models import CapitalisationPeriod, InitiativeEvidence, PeriodState, Standard, Uncertainty
from tests.delivery.allocation.test_measuring import measured
from tests.org import Org
from tests.personas import AUDITOR, EXECUTIVE, FINANCE, MANAGER, MEMBER, Persona, create_user, signed_in
from tests.programs.reminders import open_accounts
from tests.teams import OTHERS_IN_PLATFORM, Teams, create_teams

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)  # a Monday
PLATFORM = ("ada", *OTHERS_IN_PLATFORM)  # six people
SEPTEMBER = {"first_month": "2026-09", "last_month": "2026-09"}
EUROS = {"currency": "eur", "hourly_rate": "90", "dollar_rate": "0.92"}
KNOWN = {
    "authorised_on": "2026-06-01",
    "authorised_by": "Board",
    "funded_on": "2026-06-15",
    "probable_since": "2026-09-07",
    "probable_by": "Head of Checkout",
    "probable_because": "The pilot shop runs on it.",
    "uncertainty": "resolved",
    "uncertainty_resolved_on": "2026-09-04",
    "ready_on": "2026-09-24",
}
PAGE, API = "/insights/capitalisation/", "/api/v1/capitalisation/"


@pytest.fixture(autouse=True)
def teams() -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=False):
        teams = create_teams()
        open_accounts()
        yield teams


def as_(persona: Persona) -> Access:
    return access_of(create_user(persona))


def push_epic(org: Org, key: str = "SHOP-100", **fields: Any) -> None:
    created = {"status_category": "todo", "created_at": "2026-05-01T09:00:00Z"}
    org.push("work-items", {"id": key, "project": "SHOP", "title": "New checkout", "type": "epic", **created, **fields})


def push_item(
    org: Org, key: str, person: str, parent: str, *, kind: str = "feature", started: str = "2026-08-03", **fields: Any
) -> None:
    """In progress since then, of that person."""
    org.push(
        "work-items",
        {
            **{"id": key, "project": "SHOP", "title": f"Part {key}", "type": kind, "status_category": "in_progress"},
            **{"created_at": "2026-05-01T09:00:00Z", "assignee": f"{person}@example.com"},
            "transitions": [{"at": f"{started}T09:00:00Z", "from": "To do", "to": "Doing", "category": "in_progress"}],
            **({"parent": parent} if parent else {}),
            **fields,
        },
    )


def platform_works(org: Org, *, on: str = "SHOP-100") -> None:
    """Each of six people has one item of the epic in progress since August."""
    push_epic(org, on)
    for number, person in enumerate(PLATFORM, start=1):
        push_item(org, f"SHOP-{number}", person, on)
    measured()


def checkout(**fields: Any) -> InitiativeEvidence:
    return add_evidence(as_(FINANCE), {"kind": "epic", "initiative": "shop-100", **KNOWN, **fields})


def september(**fields: Any) -> CapitalisationPeriod:
    return add_period(as_(FINANCE), {**SEPTEMBER, **fields})


def spent(monkeypatch: pytest.MonkeyPatch, *parts: tuple[int, str, date, float]) -> None:
    """AI spend of people on days, in place of telemetry's."""
    people = dict(Person.objects.values_list("full_name", "pk"))
    found = [SpendPart(number, people[name.title()], day, "new", Decimal(str(usd))) for number, name, day, usd in parts]
    monkeypatch.setattr(reporting, "spend_of", lambda *_: found)


def frozen(period: CapitalisationPeriod) -> CapitalisationPeriod:
    approve_period(as_(EXECUTIVE), period)
    freeze_period(as_(FINANCE), period)
    period.refresh_from_db()
    return period


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content[:300]
    return " ".join(answer.content.decode().split())


def file_of(client: Client, period: CapitalisationPeriod) -> list[dict[str, str]]:
    content = b"".join(client.get(f"{PAGE}periods/{period.pk}/period.csv")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


# The rules of eligibility


@dataclass
class Known:
    authorised_on: date | None = date(2026, 1, 5)
    funded_on: date | None = date(2026, 1, 12)
    probable_since: date | None = date(2026, 2, 2)
    uncertainty: str = Uncertainty.RESOLVED
    uncertainty_resolved_on: date | None = date(2026, 3, 2)
    ready_on: date | None = date(2026, 6, 1)


@pytest.mark.parametrize("standard", Standard)
def test_work_is_eligible_from_the_last_criterion_until_it_is_ready(standard: Standard) -> None:
    eligible = eligibility(Known(), standard)
    assert (eligible.start, eligible.end) == (date(2026, 3, 2), date(2026, 6, 1))
    never = Known(uncertainty=Uncertainty.NONE, uncertainty_resolved_on=None)
    assert eligibility(never, standard).start == date(2026, 2, 2)
    for missing in ("authorised_on", "funded_on", "probable_since"):
        known = Known()
        setattr(known, missing, None)
        assert eligibility(known, standard).start is None
    for uncertainty in (Uncertainty.OPEN, Uncertainty.NOT_ASSESSED):
        assert eligibility(Known(uncertainty=uncertainty), standard).start is None


@pytest.mark.parametrize(
    ("first_day", "end", "investment", "state"),
    [
        (date(2026, 2, 27), date(2026, 2, 28), "new", WorkState.BEFORE),
        (date(2026, 3, 2), date(2026, 3, 9), "new", WorkState.ELIGIBLE),
        (date(2026, 5, 25), date(2026, 6, 1), "", WorkState.ELIGIBLE),
        (date(2026, 5, 26), date(2026, 6, 2), "new", WorkState.AFTER),
        (date(2026, 3, 2), date(2026, 3, 9), "maintenance", WorkState.UPKEEP),
    ],
)
def test_a_part_is_eligible_where_all_of_its_days_are(
    first_day: date, end: date, investment: str, state: WorkState
) -> None:
    assert eligibility(Known()).state_of(first_day, end, investment) is state


def test_the_american_standard_holds_for_years_that_begin_after_15_december_2027() -> None:
    assert is_adopted_early(Standard.ASU_2025_06, date(2027, 12, 15))
    assert not is_adopted_early(Standard.ASU_2025_06, date(2027, 12, 16))
    assert not is_adopted_early(Standard.ASU_2025_06, date(2028, 1, 1))
    assert not is_adopted_early(Standard.IAS_38, date(2026, 1, 1))


DAYS = st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2026, 12, 31)))


@given(
    known=st.builds(
        Known,
        *(DAYS, DAYS, DAYS),
        uncertainty=st.sampled_from(Uncertainty.values),
        uncertainty_resolved_on=DAYS,
        ready_on=DAYS,
    ),
    first_day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    length=st.integers(1, 7),
)
def test_no_day_before_a_criterion_or_after_it_is_ready_is_eligible(known: Known, first_day: date, length: int) -> None:
    end = first_day + timedelta(days=length)
    if eligibility(known).state_of(first_day, end, "new") is not WorkState.ELIGIBLE:
        return
    days = [first_day + timedelta(days=number) for number in range(length)]
    dates = [known.authorised_on, known.funded_on, known.probable_since]
    assert all(day is not None and day <= days[0] for day in dates)
    assert known.ready_on is None or days[-1] < known.ready_on
    assert known.uncertainty in (Uncertainty.NONE, Uncertainty.RESOLVED)


# The worked example of docs/capitalisation.md


def test_the_example_of_the_docs(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """September 2026 has 22 working days: 4 before 7 September, 10 in the two weeks that follow, 8 after."""
    platform_works(org)
    one = checkout()
    spent(
        monkeypatch,
        *((one.pk, name, date(2026, 9, 10), 20.0) for name in PLATFORM),
        *((one.pk, name, date(2026, 9, 3), 5.0) for name in PLATFORM),
    )
    period = september(**EUROS)
    shown = shown_to(as_(FINANCE), live_report(period))
    assert shown.days.figure(one.pk, WHOLE).value == pytest.approx(132)
    assert shown.days.figure(one.pk, ELIGIBLE).value == pytest.approx(60)
    by_state = {state: shown.days.figure(one.pk, (None, state.value)).value for state in WorkState}
    assert by_state[WorkState.BEFORE] == pytest.approx(24)
    assert by_state[WorkState.AFTER] == pytest.approx(48)
    assert shown.cost(one.pk, ELIGIBLE) == pytest.approx(480 * 90 + 120 * 0.92)
    page = text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/")
    assert "New checkout" in page
    assert '<td class="num" data-label="Eligible hours">480.0</td>' in page
    assert '<td class="num" data-label="Other hours">576.0</td>' in page
    assert "43,310.40 EUR" in page
    assert "applies it early" in page
    document = signed_in(FINANCE).get(f"{API}periods/{period.pk}/").json()["report"]
    assert document["initiatives"][0] == {
        **{"id": one.pk, "name": "New checkout", "reference": "SHOP-100"},
        **{"eligible_from": "2026-09-07", "eligible_to": "2026-09-24", "hours": 1056.0, "eligible_hours": 480.0},
        **{"people": 6, "ai_spend": 150.0, "eligible_ai_spend": 120.0, "eligible_cost": 43310.4},
    }


def test_hours_and_shares_need_no_rates(org: Org) -> None:
    platform_works(org)
    checkout()
    period = september(hours_a_day="7.5")
    page = text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/")
    assert '<td class="num" data-label="Eligible hours">450.0</td>' in page
    assert "Eligible cost" not in page
    [row] = [
        row
        for row in file_of(signed_in(FINANCE), period)
        if row["state"] == "Eligible" and row["initiative"] == "New checkout"
    ]
    assert (row["hours"], row["cost"], row["currency"]) == ("450.0", "", "")


# A slow second count


def slow_count(period: tuple[date, date], evidence: dict[str, Known]) -> dict[tuple[str, str], float]:
    """Days by initiative and whether they are eligible, from stored parts of weeks one by one, by hand-written loops.

    `evidence` is by epic key or `label:…`.
    """
    items = {item.pk: item for item in WorkItem.objects.all()}
    by_key = {item.key: item for item in items.values()}
    found: dict[tuple[str, str], float] = defaultdict(float)
    for part in Effort.objects.select_related("category"):
        if not period[0] <= part.day < period[1]:
            continue
        last = part.week + timedelta(days=6)
        while last.month != part.day.month:
            last -= timedelta(days=1)
        above, item, seen = [], items.get(part.work_item_id or 0), set[str]()
        while item is not None and item.key not in seen:
            seen.add(item.key)
            above.append(item)
            item = by_key.get(item.parent_key)
        epics = [one.key for one in above if one.key in evidence]
        labelled = [f"label:{label}" for one in above for label in one.labels if f"label:{label}" in evidence]
        owner = next(iter(epics or labelled), "")
        if not owner:
            found["", "other"] += part.days
            continue
        known, day, eligible = evidence[owner], part.day, True
        begins = [known.authorised_on, known.funded_on, known.probable_since, known.uncertainty_resolved_on]
        while day <= last:
            eligible = eligible and all(begin is not None and begin <= day for begin in begins)
            eligible = eligible and (known.ready_on is None or day < known.ready_on)
            day += timedelta(days=1)
        category = part.category
        eligible = eligible and not (category is not None and category.kind == "maintenance")
        found[owner, "eligible" if eligible else "not"] += part.days
    return found


@pytest.mark.parametrize("seed", [1, 2, 3, pytest.param(4, marks=pytest.mark.soak)])
def test_a_second_count_finds_the_same_and_nothing_is_counted_twice(org: Org, seed: int) -> None:
    """Epics below epics, circles of parents, labels beside epics, leave: weeks add up, and eligible is at most all."""
    rng = random.Random(seed)
    for key in ("SHOP-100", "SHOP-200"):
        push_epic(org, key, parent="SHOP-100" if key == "SHOP-200" else "")
    for number in range(1, 15):
        parent = rng.choice(["SHOP-100", "SHOP-200", "", f"SHOP-{rng.randrange(1, 15)}"])
        labels = rng.sample(["checkout", "maintenance", "blue"], k=rng.randrange(3))
        started = date(2026, 8, 1) + timedelta(days=rng.randrange(60))
        kind = rng.choice(["feature", "bug", "task"])
        parent = "" if parent == f"SHOP-{number}" else parent
        person = rng.choice(PLATFORM)
        push_item(org, f"SHOP-{number}", person, parent, kind=kind, started=started.isoformat(), labels=labels)
    Leave.objects.create(
        person=Person.objects.get(email="ada@example.com"), during=DateRange(date(2026, 9, 9), date(2026, 9, 16))
    )
    measured()
    evidence = {}
    for kind, word in (("epic", "SHOP-100"), ("epic", "SHOP-200"), ("label", "checkout")):
        first, second, third = (date(2026, 8, rng.randrange(1, 30)) for _ in range(3))
        known = Known(first, second, third)
        known.uncertainty_resolved_on = date(2026, 9, rng.randrange(1, 25))
        known.ready_on = rng.choice([None, date(2026, 10, rng.randrange(1, 28))])
        evidence[word if kind == "epic" else f"label:{word}"] = known
        fields = {name: getattr(known, name) for name in ("authorised_on", "funded_on", "probable_since", "ready_on")}
        days = {name: day.isoformat() if day else None for name, day in fields.items()}
        resolved = {"uncertainty": "resolved", "uncertainty_resolved_on": known.uncertainty_resolved_on.isoformat()}
        add_evidence(
            as_(FINANCE),
            {"kind": kind, "initiative": word, **days, **resolved, "probable_by": "Ada", "probable_because": "Yes"},
        )
    period = add_period(as_(FINANCE), {"first_month": "2026-08", "last_month": "2026-10"})
    report = live_report(period)
    names = {one.id: one.reference or f"label:{one.name}" for one in report.initiatives}
    found: dict[tuple[str, str], float] = defaultdict(float)
    for row in report.time:
        state = "other" if not row.initiative else "eligible" if row.state == WorkState.ELIGIBLE else "not"
        found[names.get(row.initiative, ""), state] += row.days
    expected = slow_count((period.start, period.end), evidence)
    assert {key: round(days, 2) for key, days in found.items()} == {
        key: round(days, 2) for key, days in expected.items()
    }
    stored = Effort.objects.filter(day__gte=period.start, day__lt=period.end)
    assert sum(row.days for row in report.time) == pytest.approx(sum(part.days for part in stored), abs=0.01)
    by_person: dict[int, float] = defaultdict(float)
    for row in report.time:
        by_person[row.person] += row.days
    of_weeks: dict[int, float] = defaultdict(float)
    for part in stored:
        of_weeks[part.person_id] += part.days
    assert by_person == pytest.approx(dict(of_weeks), abs=0.01)
    Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)
    shown = shown_to(as_(FINANCE), report)
    rows: list[int | str] = [*names, LISTED, ALL]
    for listed in rows:
        assert 0 <= shown.days.figure(listed, ELIGIBLE).value <= shown.days.figure(listed, WHOLE).value + 1e-9


def test_ai_spend_belongs_to_the_day_of_its_session(org: Org) -> None:
    """Sessions that name no item of an initiative are none of its spend."""
    platform_works(org)
    one = checkout()
    chosen = reporting.keys_of([one])
    org.session(by="ada", on="2026-09-10", tokens=1_000_000)
    org.fold()
    assert spend_of(chosen, date(2026, 9, 1), date(2026, 10, 1)) == []


# Periods


def test_a_period_is_approved_frozen_and_stays(org: Org) -> None:
    platform_works(org)
    checkout()
    period = september()
    with pytest.raises(FieldError, match="Approve it first"):
        freeze_period(as_(FINANCE), period)
    with pytest.raises(MayNotWriteError):
        approve_period(as_(FINANCE), period)
    frozen(period)
    document = period.document
    assert document is not None
    assert document.sha256 == hashlib.sha256(document.body.encode()).hexdigest()
    assert freeze_period(as_(FINANCE), period) == document, "once more changes nothing"
    assert frozen_report(period).report.rules, "the rules of allocation are in it"
    for act in (
        lambda: change_period(as_(FINANCE), period, {"currency": "USD"}, of_version=period.version),
        lambda: remove_period(as_(FINANCE), period),
        lambda: approve_period(as_(EXECUTIVE), period),
    ):
        with pytest.raises(FieldError, match="frozen"):
            act()
    for refused in (
        lambda: CapitalisationPeriod.objects.filter(pk=period.pk).update(hours_a_day=7),
        lambda: CapitalisationPeriod.objects.filter(pk=period.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            refused()


def test_what_changes_later_shows_as_restated(org: Org) -> None:
    platform_works(org)
    one = checkout()
    period = frozen(september())
    before = file_of(signed_in(FINANCE), period)
    assert "Restated" not in text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/")
    change_evidence(as_(FINANCE), one, {"ready_on": "2026-10-01"}, of_version=one.version)
    page = text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/")
    assert '<td class="num" data-label="Eligible hours">480.0</td>' in page
    assert "Restated: 864.0 h" in page, "8 more days of six people"
    assert file_of(signed_in(FINANCE), period) == before
    remove_evidence(as_(FINANCE), one)
    page = text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/")
    assert "New checkout" in page, "frozen periods keep what was removed"
    assert "Restated: 0.0 h" in page


def test_a_change_of_one_person_is_restated_to_nobody(org: Org) -> None:
    platform_works(org)
    checkout()
    period = frozen(september())
    ada = Person.objects.get(email="ada@example.com")
    Leave.objects.create(person=ada, during=DateRange(date(2026, 9, 14), date(2026, 9, 16)))
    EffortWeek.objects.update(stale_since=NOW)
    measured()
    page = text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/")
    assert "Restated: hidden, too few people" in page
    assert "464.0" not in page


def test_an_approval_lapses_when_figures_change(org: Org) -> None:
    platform_works(org)
    one = checkout()
    period = approve_period(as_(EXECUTIVE), september())
    change_evidence(as_(FINANCE), one, {"ready_on": "2026-09-21"}, of_version=one.version)
    assert CHANGED_SINCE_APPROVAL in text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/")
    with pytest.raises(FieldError, match="Approve it again"):
        freeze_period(as_(FINANCE), period)
    frozen(period)
    approved = september(first_month="2026-08", last_month="2026-08")
    approve_period(as_(EXECUTIVE), approved)
    approved.refresh_from_db()
    changed = change_period(as_(FINANCE), approved, {"hours_a_day": "7"}, of_version=approved.version)
    assert (changed.state, changed.approved_at) == (PeriodState.DRAFT, None)


def test_nothing_is_frozen_while_records_arrive(org: Org) -> None:
    platform_works(org)
    checkout()
    period = approve_period(as_(EXECUTIVE), september())
    push_item(org, "SHOP-50", "ada", "SHOP-100", started="2026-09-07")
    with pytest.raises(FieldError, match="New records arrived"):
        freeze_period(as_(FINANCE), period)
    assert "Not settled." in text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/")
    EffortWeek.objects.filter(week=date(2026, 9, 7)).update(stale_since=NOW)
    with pytest.raises(FieldError, match="is being derived"):
        freeze_period(as_(FINANCE), period)
    measured()
    frozen(period)


def test_a_period_that_runs_is_neither_approved_nor_frozen(org: Org) -> None:
    running = add_period(as_(FINANCE), {"first_month": "2026-11", "last_month": "2026-11"})
    with pytest.raises(FieldError, match="is not over yet"):
        approve_period(as_(EXECUTIVE), running)


def test_an_epic_that_moves_to_another_project_keeps_its_evidence(org: Org) -> None:
    platform_works(org)
    one = checkout()
    WorkItem.objects.filter(key="SHOP-100").update(key="PAY-7")
    WorkItem.objects.filter(parent_key="SHOP-100").update(parent_key="PAY-7")
    report = live_report(september())
    assert [(initiative.reference, initiative.id) for initiative in report.initiatives] == [("PAY-7", one.pk)]
    assert sum(row.days for row in report.time if row.state == WorkState.ELIGIBLE) == pytest.approx(60)
    WorkItem.objects.filter(key="PAY-7").update(deleted_at=NOW)
    assert "no longer there" in text(signed_in(FINANCE), PAGE)


def test_upkeep_is_not_eligible_and_a_category_that_goes_is_restated(org: Org) -> None:
    Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)
    push_epic(org)
    for number, person in enumerate(PLATFORM, start=1):
        push_item(org, f"SHOP-{number}", person, "SHOP-100", kind="bug" if number == 1 else "feature")
    measured()
    one = checkout()
    period = frozen(september())
    shown = shown_to(as_(FINANCE), frozen_report(period).report)
    assert shown.days.figure(one.pk, ELIGIBLE).value == pytest.approx(50)
    assert shown.days.figure(one.pk, (None, WorkState.UPKEEP.value)).value == pytest.approx(10)
    InvestmentCategory.objects.filter(kind="maintenance").update(name="Run")
    measured()
    assert "Restated" not in text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/"), "a name changes no figure"
    InvestmentCategory.objects.filter(kind="maintenance").delete()
    EffortWeek.objects.update(stale_since=NOW)
    measured()
    assert "Restated: 480.0 h" in text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/")
    assert "Keeping the lights on" in str(frozen_report(period).report.rules)


# What is refused


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"initiative": "SHOP-4711"}, "initiative"),
        ({"kind": "version", "initiative": "SHOP"}, "initiative"),
        ({"kind": "label", "initiative": "blue"}, "initiative"),
        ({"kind": "sprint"}, "kind"),
        ({"probable_by": ""}, "probable_by"),
        ({"probable_because": " "}, "probable_because"),
        ({"uncertainty": "resolved", "uncertainty_resolved_on": None}, "uncertainty_resolved_on"),
        ({"uncertainty": "open"}, "uncertainty"),
        ({"authorised_on": "2027-01-01"}, "authorised_on"),
        ({"funded_on": "1999-12-31"}, "funded_on"),
        ({"ready_on": "2026-06-14"}, "ready_on"),
        ({"capitalised": True}, "capitalised"),
    ],
)
def test_evidence_that_cannot_be_is_refused(org: Org, fields: dict[str, Any], field: str) -> None:
    push_epic(org)
    answer = signed_in(FINANCE).post(
        f"{API}initiatives/",
        {"kind": "epic", "initiative": "SHOP-100", **KNOWN, **fields},
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["parameter"] == field, answer.json()
    assert not InitiativeEvidence.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"last_month": "2026-08"}, "last_month"),
        ({"first_month": "2025-01"}, "last_month"),
        ({"first_month": "soon"}, "first_month"),
        ({"currency": "€"}, "currency"),
        ({"currency": "EUR"}, "hourly_rate"),
        ({"hourly_rate": "90"}, "currency"),
        ({"hours_a_day": "25"}, "hours_a_day"),
    ],
)
def test_a_period_that_cannot_be_is_refused(fields: dict[str, Any], field: str) -> None:
    answer = signed_in(FINANCE).post(f"{API}periods/", {**SEPTEMBER, **fields}, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["parameter"] == field, answer.json()


def test_no_two_periods_share_a_month_and_no_initiative_is_listed_twice(org: Org) -> None:
    push_epic(org)
    checkout()
    with pytest.raises(FieldError, match="in the list already"):
        checkout()
    september()
    with pytest.raises(FieldError, match="a period with one of these months"):
        add_period(as_(FINANCE), {"first_month": "2026-07", "last_month": "2026-10"})


def test_two_who_edit_one_initiative_both_keep_their_text(org: Org) -> None:
    push_epic(org)
    one = checkout()
    client, address = signed_in(FINANCE), f"{PAGE}initiatives/{one.pk}/"
    change_evidence(as_(FINANCE), one, {"authorised_by": "Somebody else"}, of_version=one.version)
    fields = {**KNOWN, "authorised_by": "Me", "version": str(one.version)}
    answer = client.post(address, fields)
    assert answer.status_code == 409
    assert "Somebody else" in answer.content.decode()


# Who sees what


def test_finance_executives_and_admins_alone_read_it(org: Org, sign_in: Callable[[Persona], Client]) -> None:
    platform_works(org)
    one, period = checkout(), september()
    pages = [
        *(PAGE, f"{PAGE}initiatives.csv", f"{PAGE}new/", f"{PAGE}periods/", f"{PAGE}periods/new/"),
        *(f"{PAGE}initiatives/{one.pk}/", f"{PAGE}periods/{period.pk}/", f"{PAGE}periods/{period.pk}/period.csv"),
        *(f"{API}initiatives/", f"{API}periods/", f"{API}periods/{period.pk}/", f"{API}initiatives/{one.pk}/"),
    ]
    for persona in (FINANCE, EXECUTIVE):
        assert {sign_in(persona).get(page).status_code for page in pages} == {200}
    for persona in (MEMBER, MANAGER, AUDITOR):
        assert {sign_in(persona).get(page).status_code for page in pages} <= {403, 404}, persona
        assert "Capitalisation" not in text(sign_in(persona), "/")
    refused = sign_in(MANAGER).post(f"{API}periods/{period.pk}/freeze/", content_type="application/json")
    assert refused.status_code == 403
    assert "Capitalisation" in text(sign_in(FINANCE), "/")


def test_figures_of_few_people_are_hidden_and_stay_in_the_totals(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six people work on one epic, two on another: their hours follow from no figure."""
    platform_works(org)
    push_epic(org, "SHOP-200")
    for number, person in ((21, "grace"), (22, "lise")):
        push_item(org, f"SHOP-{number}", person, "SHOP-200")
    measured()
    large = checkout()
    small = add_evidence(as_(FINANCE), {"kind": "epic", "initiative": "SHOP-200", **KNOWN})
    spent(monkeypatch, (small.pk, "grace", date(2026, 9, 10), 7.0))
    period = september()
    shown = shown_to(as_(FINANCE), live_report(period))
    assert shown.days.figure(small.pk, ELIGIBLE).hidden
    assert shown.dollars.figure(small.pk, ELIGIBLE).hidden
    totals = [shown.days.figure(LISTED, segment).hidden for segment in (ELIGIBLE, WHOLE)]
    assert all(totals) or shown.days.figure(large.pk, ELIGIBLE).hidden, "else a subtraction gives it away"
    page, rows = text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/"), file_of(signed_in(FINANCE), period)
    assert "are hidden" in page
    assert not any(row["hours"] == "160.0" for row in rows), "two people, ten days, eight hours"
    assert "Grace" not in page + str(rows)
    Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)
    assert any(row["hours"] == "160.0" for row in file_of(signed_in(FINANCE), period))


def test_nobody_learns_whether_few_people_used_an_agent(org: Org) -> None:
    """An initiative of two people shows its AI spend as hidden, whether there is any or not."""
    push_epic(org, "SHOP-200")
    for number, person in ((21, "grace"), (22, "lise")):
        push_item(org, f"SHOP-{number}", person, "SHOP-200")
    measured()
    small = add_evidence(as_(FINANCE), {"kind": "epic", "initiative": "SHOP-200", **KNOWN})
    assert shown_to(as_(FINANCE), live_report(september())).dollars.figure(small.pk, ELIGIBLE).hidden


def test_no_page_or_file_names_a_person(org: Org) -> None:
    Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)
    platform_works(org)
    checkout()
    period = frozen(september())
    page = text(signed_in(FINANCE), f"{PAGE}periods/{period.pk}/")
    assert not [
        name for name in PLATFORM if name.title() in page.partition('<h2 id="history-title">')[0] and name != "ada"
    ]
    assert not any(name in str(file_of(signed_in(FINANCE), period)) for name in PLATFORM)
