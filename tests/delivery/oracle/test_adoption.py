"""Effect of adoption and cohorts of use: the engine's answer equals that of one statement of PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from insights.engine.adoption.developer_facts import CYCLE_TIME, read_developer_facts
from insights.engine.adoption.effect import before_and_after, cohorts_of
from insights.query import windows
from insights.query.query import Dimension, Query, Scope
from integrations.models import AgentSession
from orgtree.models import Person
from tests.delivery.oracle import adoption_in_sql
from tests.delivery.oracle.agents import StoredWorld
from tests.delivery.oracle.organisation import UNITS

WEEKS = (4, 12, 52)
SCOPES = (None, *UNITS)

pytestmark = pytest.mark.django_db


@pytest.fixture
def adopted(stored_world: StoredWorld) -> StoredWorld:
    """A third of the people never had a session, and a third only late ones."""
    for number, person in enumerate(Person.objects.order_by("pk")):
        theirs = AgentSession.objects.filter(identity__person=person)
        if number % 3 == 0:
            theirs.update(has_work=False)
        elif number % 3 == 1:
            theirs.filter(started_on__lt=windows.local_today() - timedelta(days=20 + 5 * number)).update(has_work=False)
    return stored_world


def hold_against_the_statements(query: Query) -> int:
    """Compare the engine with the statements; return the number of developers compared."""
    facts = read_developer_facts(query)
    computed = before_and_after(facts)
    expected = adoption_in_sql.courses(query)
    columns = (computed.people, computed.took_up, computed.borders, computed.before, computed.after)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == [
        (person, took_up, border.toordinal(), *counts) for person, took_up, border, *counts, _, _ in expected
    ]
    for column, position in ((computed.cycle_before, 5), (computed.cycle_after, 6)):
        assert column.tolist() == pytest.approx([row[position] for row in expected])
    cohorts = adoption_in_sql.cohorts(query)
    for cohort in cohorts_of(facts):
        developers, weeks, merged, cycle = cohorts.get(cohort.name, (0, 0, 0, None))
        assert (cohort.developers, cohort.merged) == (developers, merged), cohort.name
        assert cohort.merged_per_week == (merged / weeks if developers else None)
        assert cohort.cycle_seconds == (None if cycle is None else pytest.approx(cycle))
    return len(computed)


@pytest.mark.parametrize("facets", [{}, {Dimension.WORK_TYPE: ("feature",)}, {Dimension.AGENT: ("codex",)}])
def test_adoption_is_what_the_statements_say(adopted: StoredWorld, facets: dict[Dimension, tuple[str, ...]]) -> None:
    """Also for parts of the work; the requested agents change nothing."""
    compared = [
        hold_against_the_statements(Query(CYCLE_TIME, windows.trailing(weeks), scope=Scope(unit), facets=facets))
        for weeks, unit in product(WEEKS, SCOPES)
    ]
    if Dimension.WORK_TYPE not in facets:
        assert sum(compared) > 20, "who took up an agent, and who did not"
