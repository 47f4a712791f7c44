"""An address that telemetry claims makes nobody count towards the minimum group size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from insights.engine.contributors import unconfirmed_by_version
from insights.engine.read import UnitQueries, read_series
from insights.privacy.stored import read_with_known_people
from insights.privacy.visible import visible_distribution, visible_series
from insights.privacy.withhold import reason
from insights.query import windows
from insights.query.query import Dimension, MetricValue, Query, Scope
from integrations.facts.unconfirmed import unconfirmed_people
from integrations.models import Connection, PullRequest, Repository, SeatAssignment, SeatPlan
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from orgtree.access.access import access_of, public_access
from orgtree.models import Grant, Identity, IndividualPolicy, Organisation, Person, Role, Unit
from programs.key_results.services.reading import KeyResultQuery, read_metrics
from tests.org import Org
from tests.orgtree.identity_world import assign_identities
from tests.pages.delivering import day_before
from tests.personas import EXECUTIVE, Persona, create_user
from tests.stored_once import StoreOnce

REAL, CLAIMED = ("ada", "grace"), ("hedy", "katherine", "radia")

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def payments(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: tell_of_payments(Org(tmp_path_factory.mktemp))) as made:
        yield made


def tell_of_payments(org: Org) -> Org:
    """Two who use agents and commit, and three whom data found, placed by hand, who do neither."""
    Organisation.objects.update_or_create(
        pk=1,
        defaults={
            "individual_policy": IndividualPolicy.PSEUDONYMS,
            "protected_since": datetime(2026, 1, 1, tzinfo=UTC),
        },
    )
    org.people(*({"full_name": name.title(), "email": f"{name}@example.com"} for name in (*REAL, *CLAIMED)))
    org.tree("Teams")
    org.unit("Payments", below="teams")
    for name in (*REAL, *CLAIMED):
        org.join(name, "payments")
    for name in REAL:
        org.session(by=name, on=day_before(1), tokens=1000)
        org.commit(by=name, on=day_before(1))
    org.fold()
    Person.objects.filter(email__in=[f"{name}@example.com" for name in CLAIMED]).update(found_in_data=True)
    return org


def claim(org: Org, *names: str) -> None:
    """Send one event for each name, as anybody with the shared token can."""
    for name in names:
        org.session(by=name, on=day_before(1), tokens=1, confirmed=False)
    org.fold()


def query(key: str = "ai.tokens", unit: str | None = "payments", **more: object) -> Query:
    return Query(key, windows.trailing(12), scope=Scope(unit), **more)  # type: ignore[arg-type]


def figure(metric_query: Query | None = None) -> MetricValue:
    [answer] = read_series([metric_query or query()])
    return answer.total[0]


def counted(metric_query: Query | None = None) -> tuple[int, int]:
    """The people of the value, and how many of them are confirmed."""
    [answer] = read_with_known_people(public_access(), series=[metric_query or query()]).series
    return figure(metric_query).people, answer.total[0].people


def test_claimed_colleagues_are_known_as_such(payments: Org) -> None:
    assert counted() == (2, 2)
    claim(payments, *CLAIMED)
    assert counted() == (5, 2)


def test_claimed_strangers_are_known_as_such(payments: Org) -> None:
    claim(payments, "nobody", "noone", "stranger")
    assert counted(query(unit=None)) == (5, 2)
    assert counted() == (2, 2)


def shown(metric_query: Query | None = None) -> float | None:
    """The value that an executive sees."""
    [answer] = visible_series([metric_query or query()], access_of(create_user(EXECUTIVE)))
    return answer.total[0].value


@pytest.fixture
def executive(payments: Org) -> None:
    create_grant()


def test_a_withheld_figure_stays_withheld_whomever_telemetry_claims(payments: Org, executive: None) -> None:
    """The attack: it was shown as one of five."""
    assert shown() is None
    claim(payments, *CLAIMED)
    assert shown() is None
    assert "an import of people" in reason(access_of(create_user(EXECUTIVE)))
    assert shown(query("ai.sessions_per_developer")) is None
    claim(payments, "nobody", "noone", "stranger")
    assert shown(query(unit=None)) is None


def version() -> int:
    return Organisation.current().people_version


def test_whoever_is_newly_claimed_makes_another_version_of_people(payments: Org) -> None:
    before = version()
    claim(payments, *REAL)
    assert version() == before
    claim(payments, *CLAIMED)
    assert version() == before + 1


def test_moved_and_imported_people_make_another_version(payments: Org, django_capture_on_commit_callbacks: Any) -> None:
    """A person whose enrolment was unmatched is then matched; a person in an import is known at once."""
    before = version()
    with django_capture_on_commit_callbacks(execute=True):
        assign_identities([_identity(Person.objects.get(email="hedy@example.com"))], None)
    assert version() == before + 1
    with django_capture_on_commit_callbacks(execute=True):
        an_import(Person.objects.get(email="radia@example.com"))
    assert version() == before + 2


def test_an_import_shows_figures_at_once(
    payments: Org, executive: None, django_capture_on_commit_callbacks: Any
) -> None:
    claim(payments, *CLAIMED)
    assert shown() is None
    with django_capture_on_commit_callbacks(execute=True):
        for name in CLAIMED:
            an_import(Person.objects.get(email=f"{name}@example.com"))
    assert shown() == 2003


def test_a_group_of_confirmed_people_is_shown_beside_claims(payments: Org, executive: None) -> None:
    """Nobody makes a figure disappear by claims, either."""
    claim(payments, *CLAIMED, "nobody")
    for name in CLAIMED:
        a_token(Person.objects.get(email=f"{name}@example.com"))
    unconfirmed_by_version.clear()  # who is confirmed counts within a minute
    assert shown() == 2003
    assert shown(query(unit=None)) == 2004


def test_a_key_result_keeps_how_many_known_people_it_is_of(payments: Org) -> None:
    """The attack: what is withheld as a figure was shown as the value of a key result, and in a closed quarter."""
    claim(payments, *CLAIMED)
    quarter = windows.quarter_of(day_before(1))
    measurement = KeyResultQuery("ai.tokens", "", "payments", quarter)
    assert read_metrics([measurement], today=windows.local_today())[measurement].people == len(REAL)


def test_a_distribution_of_claimed_people_is_withheld(payments: Org, executive: None) -> None:
    claim(payments, *CLAIMED)
    spread = visible_distribution(query("ai.session_duration"), access_of(create_user(EXECUTIVE)))
    assert spread.sample_size == 0


def create_grant() -> None:
    Grant.objects.create(user=create_user(EXECUTIVE), role=Role.EXECUTIVE, during=DateRange(date(2025, 1, 1), None))


def test_figures_are_what_they_were(payments: Org) -> None:
    """Telemetry is not lost: it only makes no group larger."""
    claim(payments, *CLAIMED)
    assert figure().value == 2003
    assert figure(query("ai.active_developers")).value == 5


def test_every_way_to_a_figure_counts_them_alike(payments: Org) -> None:
    claim(payments, *CLAIMED[:2])
    units = [Unit.objects.get(slug=slug).pk for slug in ("teams", "payments")]
    by_agent = query(segments=(Dimension.AGENT,))
    found = read_with_known_people(
        public_access(),
        series=[query(), by_agent, query("ai.active_developers"), query("ai.active_share")],
        units=[UnitQueries([query("ai.tokens"), query("ai.spend")], units)],
    )
    assert [answer.total[0].people for answer in found.series] == [2, 2, 2, 2]
    assert [value.people for value in found.series[0].series if value.people] == [2]
    assert [[answer.total[0].people for answer in found.units[0][unit]] for unit in units] == [[2, 2]] * 2


def test_what_tools_show_everybody_asks_nothing(payments: Org) -> None:
    claim(payments, *CLAIMED)
    assert counted(query("commit.count")) == (2, 2)


def an_account(person: Person) -> None:
    create_user(Persona(str(person.email).partition("@")[0]))


def a_token(person: Person) -> None:
    create_ingest_token("laptop", person=person)


def a_seat(person: Person) -> None:
    days = DateRange(date(2026, 1, 1), None)
    plan = SeatPlan.objects.create(agent="claude_code", name="Team", monthly_price=Decimal(20), during=days)
    SeatAssignment.objects.create(plan=plan, identity=_identity(person), during=days)


def an_import(person: Person) -> None:
    Org(Path).people({"full_name": person.full_name, "email": str(person.email)})


def a_pull_request(person: Person) -> None:
    _pull_request(author=_identity(person))


@pytest.mark.parametrize("evidence", [an_account, a_token, a_seat, a_pull_request, an_import])
def test_whom_something_else_confirms_counts(payments: Org, evidence: Callable[[Person], None]) -> None:
    claim(payments, "hedy")
    hedy = Person.objects.get(email="hedy@example.com")
    assert unconfirmed_people() == (hedy.pk,)
    evidence(hedy)
    assert unconfirmed_people() == ()


def test_what_is_pushed_confirms_nobody(payments: Org) -> None:
    """It comes with a token that may name anybody."""
    claim(payments, "hedy")
    times = {"created_at": "2026-03-01T08:00:00Z", "state": "merged", "merged_at": "2026-03-02T08:00:00Z"}
    payments.push(
        "pull-requests", {"id": "7", "number": 7, "repository": "shop", "author": "hedy@example.com", **times}
    )
    payments.push(
        "commits",
        {
            **{"repository": "shop", "sha": "c" * 40, "parents": [], "author_email": "hedy@example.com"},
            "committed_at": "2026-03-02T08:00:00Z",
        },
    )
    assert unconfirmed_people() == (Person.objects.get(email="hedy@example.com").pk,)


def _identity(person: Person) -> Identity:
    return Identity.objects.get(person=person, kind="email")


def _pull_request(author: Identity) -> PullRequest:
    connection = Connection.objects.create(name="GitHub", provider="github")
    return PullRequest.objects.create(
        **{"connection": connection, "external_id": "1", "repository": Repository.objects.create(name="acme/web")},
        **{"number": 1, "author": author, "created_at": datetime(2026, 3, 1, tzinfo=UTC), "state": "open"},
    )
