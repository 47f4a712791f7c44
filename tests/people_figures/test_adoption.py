"""What adoption changed and the cohorts of use: the same from facts, from what is kept, and in one statement."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import numpy as np
import pytest
from django.db import connection

from insights import windows
from insights.metrics import kept_effects
from insights.metrics.adoption_effect import courses_of
from insights.metrics.developer_facts import CYCLE_TIME, DeveloperFacts, read_developer_facts
from insights.metrics.query import Dimension, MetricQuery, Scope
from insights.metrics.usage_cohorts import cohorts_of
from insights.models import KeptComparison, KeptPeopleFigures
from insights.people_figures import adoption, store
from insights.people_figures.adoption import ADOPTION, developer_facts, kept_since
from insights.people_figures.store import bring_up_to_date
from integrations.models import AgentSession, PullRequest
from orgtree.models import Person
from tests.delivery_oracle.agents import Told
from tests.delivery_oracle.organisation import UNITS
from tests.people_figures import adoption_in_sql

WEEKS = (4, 12, 52)
SCOPES = (None, *UNITS)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WORTH_KEEPING_SECONDS", 0.0)


@pytest.fixture
def adopted(told: Told) -> Told:
    """A third of the people never had a session, and a third only late ones."""
    for number, person in enumerate(Person.objects.order_by("pk")):
        theirs = AgentSession.objects.filter(identity__person=person)
        if number % 3 == 0:
            theirs.update(has_work=False)
        elif number % 3 == 1:
            theirs.filter(started_on__lt=windows.local_today() - timedelta(days=20 + 5 * number)).update(has_work=False)
    return told


def asked(weeks: int, unit: str | None) -> MetricQuery:
    return MetricQuery(CYCLE_TIME, windows.trailing(weeks), scope=Scope(unit))


def told_of(facts: DeveloperFacts) -> dict[str, Any]:
    """A person's pull requests stand in no order."""
    columns = (facts.people[facts.authors], facts.pull_days, facts.cycles)
    pulls = Counter((person, day, repr(cycle)) for person, day, cycle in zip(*columns, strict=True))
    names = ("people", "first_sessions", "pulls", "weeks", "days", "worked", "sessions")
    return {**{name: getattr(facts, name).tolist() for name in names}, "each pull": pulls}


def hold_against_the_statements(query: MetricQuery, facts: DeveloperFacts) -> int:
    """How many developers are compared."""
    found = courses_of(facts)
    expected = adoption_in_sql.courses(query)
    columns = (found.people, found.took_up, found.borders, found.before, found.after)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == [
        (person, took_up, border.toordinal(), *counts) for person, took_up, border, *counts, _, _ in expected
    ]
    for column, position in ((found.cycle_before, 5), (found.cycle_after, 6)):
        assert column.tolist() == pytest.approx([row[position] for row in expected])
    cohorts = adoption_in_sql.cohorts(query)
    for each in cohorts_of(facts):
        developers, weeks, merged, cycle = cohorts.get(each.name, (0, 0, 0, None))
        assert (each.developers, each.merged) == (developers, merged), each.name
        assert each.merged_per_week == (merged / weeks if developers else None)
        assert each.cycle_seconds == (None if cycle is None else pytest.approx(cycle))
    return len(found)


def test_facts_are_what_the_statements_say(adopted: Told) -> None:
    compared = [
        hold_against_the_statements(asked(weeks, unit), read_developer_facts(asked(weeks, unit)))
        for weeks, unit in product(WEEKS, SCOPES)
    ]
    assert sum(compared) > 20, "who took up an agent, and who did not"


def test_what_is_kept_is_what_the_facts_say(adopted: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of units, after people moved and facts went; no fact is read then."""

    def hold() -> int:
        found = 0
        for weeks, unit in product(WEEKS, SCOPES):
            query = asked(weeks, unit)
            facts, since = developer_facts(query)
            assert since is not None
            assert told_of(facts) == told_of(read_developer_facts(query)), (weeks, unit)
            found += len(facts.people)
        return found

    bring_up_to_date([ADOPTION])
    assert hold() > 50
    with monkeypatch.context() as unread:
        unread.setattr(adoption, "read_developer_facts", None)
        assert all(developer_facts(asked(12, unit))[1] for unit in SCOPES)
    middle = windows.local_today() - timedelta(days=30)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orgtree_placement SET during = during * daterange(NULL, %s) WHERE person_id %% 2 = 0"
            " AND NOT isempty(during * daterange(NULL, %s))",
            [middle, middle],
        )
        assert cursor.rowcount
    PullRequest.objects.order_by("pk")[0].delete()
    KeptPeopleFigures.objects.all().delete()
    bring_up_to_date([ADOPTION])
    assert hold() > 50


def test_answers_are_the_same_to_the_last_draw(adopted: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insights.formulas.differences.FEWEST_DEVELOPERS", 2)
    monkeypatch.setattr("insights.metrics.kept_answers.SLOW_SECONDS", -1.0)
    bring_up_to_date([ADOPTION])
    ahead = kept_effects.answer_ahead()
    assert KeptComparison.objects.count() == ahead == len(windows.TRAILING_WEEKS)
    assert kept_effects.answer_ahead() == ahead
    KeptComparison.objects.all().delete()
    questions = [asked(weeks, unit) for weeks, unit in product(WEEKS, SCOPES)]
    kept = [kept_effects.effect_and_cohorts(query)[:2] for query in questions]
    assert KeptComparison.objects.count() == len(questions)
    assert [kept_effects.effect_and_cohorts(query)[:2] for query in questions] == kept, "given again"
    for kept_or_not in ("kept_at", "kept_of"):
        monkeypatch.setattr(adoption, kept_or_not, lambda *_: None)
    for query, (effect, cohorts) in zip(questions, kept, strict=True):
        from_facts, cohorts_from_facts, _ = kept_effects.effect_and_cohorts(query)
        assert from_facts.group_sizes == effect.group_sizes
        assert from_facts.merged == effect.merged
        assert from_facts.merged_interval == effect.merged_interval
        assert from_facts.cycle == (None if effect.cycle is None else pytest.approx(effect.cycle))
        assert list(cohorts_from_facts) == list(cohorts)
    assert any(effect.merged_interval for effect, _ in kept)


def test_parts_of_the_work_and_people_of_an_attribute_are_read_from_facts(adopted: Told) -> None:
    bring_up_to_date([ADOPTION])
    query = asked(12, None)
    assert kept_since(query) is not None
    person = Person.objects.order_by("pk")[0].pk
    for other in (
        replace(query, facets={Dimension.WORK_TYPE: ("feature",)}),
        replace(query, scope=Scope(person_id=person)),
        replace(query, window=query.window._replace(start=query.window.start + timedelta(days=1))),
    ):
        assert kept_since(other) is None
        facts, since = developer_facts(other)
        assert since is None
        assert told_of(facts) == told_of(read_developer_facts(other))
    assert kept_since(replace(query, facets={Dimension.AGENT: ("codex",)})) is not None, "agents are not heeded"


def test_days_are_told_apart(adopted: Told) -> None:
    """What was done on some days and what was done on the others is all that was done."""
    facts = read_developer_facts(asked(52, None))
    some = np.random.default_rng(1).random(facts.worked.shape) < 0.5
    first, second = facts.on(some), facts.on(~some)
    whole = told_of(facts)["each pull"]
    assert told_of(first)["each pull"] + told_of(second)["each pull"] == whole
    for name in ("days", "session_count", "pulls"):
        of_both = Counter[int]()
        for part in (first, second):
            of_both.update(dict(zip(part.people.tolist(), getattr(part, name).tolist(), strict=True)))
        assert +of_both == +Counter(dict(zip(facts.people.tolist(), getattr(facts, name).tolist(), strict=True))), name
    assert len(first.people)
    assert len(second.people)
