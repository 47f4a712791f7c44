"""Comparisons from what is kept of everybody are those from facts, for the organisation and for each unit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from unittest import mock

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from insights import windows
from insights.metrics import kept_comparisons
from insights.metrics.comparison import ANY_AGENT, WITHOUT, Comparison, read_comparison
from insights.metrics.kept_comparisons import AGAIN_AFTER, SIDE_BY_SIDE, compare_ahead
from insights.metrics.line_counts import Amounts, buckets_on_line, facts_done
from insights.metrics.plan import Clock, Plan, plan
from insights.metrics.query import Dimension, Granularity, MetricQuery, Scope
from insights.models import KeptComparison, KeptPeopleFigures
from insights.people_figures import lines, store
from insights.people_figures.lines import KEYS, LINES, LineCounts
from insights.people_figures.store import bring_up_to_date
from integrations.models import PullRequest
from orgtree.models import Identity, Person, Placement
from tests.delivery_oracle.agents import AGENTS, Told
from tests.delivery_oracle.organisation import UNITS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WORTH_KEEPING_SECONDS", 0.0)


def asked(key: str, weeks: int, unit: str | None, line: str, **facets: tuple[str, ...]) -> Plan:
    dimension = Dimension.ASSISTANCE if line == ANY_AGENT else Dimension.AGENT
    narrowed = {Dimension(name): values for name, values in facets.items()}
    query = MetricQuery(
        key,
        windows.trailing(weeks),
        scope=Scope(unit),
        segments=(dimension,),
        facets={**narrowed, dimension: (line, WITHOUT)},
    )
    return plan(query, Clock.read())


def positive(amounts: Amounts) -> Amounts:
    return {key: amount for key, amount in amounts.items() if amount}


def hold_kept_against_facts() -> int:
    """How many amounts there are."""
    found = 0
    for key, weeks, unit, line, work in product(
        KEYS, (8, 52), (None, *UNITS), (ANY_AGENT, *AGENTS), ({}, {"work_type": ("feature",)})
    ):
        each = asked(key, weeks, unit, line, **work)
        done, active, _ = LineCounts().of(each, line, WITHOUT)
        told_of = (key, weeks, unit, line, work)
        assert positive(done) == positive(facts_done(each)), told_of
        assert positive(active) == positive(buckets_on_line(each)), told_of
        found += len(done) + len(active)
    return found


def test_what_is_kept_of_lines_is_what_the_facts_say(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after people moved, identities changed hands and facts went."""
    bring_up_to_date([LINES])
    assert hold_kept_against_facts() > 100
    with monkeypatch.context() as unread:  # of the whole organisation nothing is read from facts
        unread.setattr(lines, "facts_done", None)
        unread.setattr(lines, "buckets_on_line", None)
        each = asked(KEYS[0], 52, None, ANY_AGENT)
        assert LineCounts().of(each, ANY_AGENT, WITHOUT)[0]
    first, second = Person.objects.order_by("pk")[:2]
    Identity.objects.filter(person=first).update(person=second)
    middle = told.world.span.today - timedelta(days=60)
    moved = Placement.objects.exclude(person=second).order_by("pk").first()
    assert moved is not None
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orgtree_placement SET during = during * daterange(NULL, %s) WHERE person_id = %s"
            " AND NOT isempty(during * daterange(NULL, %s))",
            [middle, moved.person_id, middle],
        )
    gone = PullRequest.objects.order_by("pk").first()
    assert gone is not None
    gone.delete()
    KeptPeopleFigures.objects.all().delete()
    bring_up_to_date([LINES])
    assert hold_kept_against_facts() > 100


def test_comparisons_are_the_same_to_the_last_draw(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insights.formulas.differences.FEWEST_DEVELOPERS", 2)
    bring_up_to_date([LINES])

    def comparisons() -> list[Comparison]:
        return [
            replace(read_comparison(MetricQuery(key, windows.trailing(52), scope=Scope(unit)), line), computed_at=None)
            for key, unit, line in product(KEYS, (None, *UNITS), (ANY_AGENT, AGENTS[0]))
        ]

    kept = comparisons()
    monkeypatch.setattr(lines, "kept_of", lambda *_: None)
    assert comparisons() == kept
    assert any(each.interval for each in kept)


def test_what_the_page_shows_first_is_compared_before_anybody_looks(told: Told, admin: Client) -> None:
    assert compare_ahead() == 0, "nothing is kept"
    bring_up_to_date([LINES])
    store.look_again()
    asked = compare_ahead()
    assert asked == KeptComparison.objects.count() == len(windows.TRAILING_WEEKS) * len(SIDE_BY_SIDE)
    with mock.patch.object(kept_comparisons, "read_comparison", wraps=read_comparison) as read:
        for weeks in windows.TRAILING_WEEKS:
            assert admin.get(f"/insights/ai/parts/differences/?range={weeks}w").status_code == 200
        assert compare_ahead() == asked
        assert not read.called
        KeptComparison.objects.update(computed_at=timezone.now() - AGAIN_AFTER)
        assert compare_ahead() == asked == read.call_count


def test_other_buckets_and_people_of_an_attribute_are_read_from_facts(told: Told) -> None:
    bring_up_to_date([LINES])
    window = windows.trailing(8)
    by_month = MetricQuery(KEYS[0], window, Granularity.MONTH, segments=(Dimension.ASSISTANCE,))
    assert not lines._is_kept(plan(by_month, Clock.read()))
    assert lines._is_kept(plan(replace(by_month, granularity=Granularity.WEEK), Clock.read()))
    first = Person.objects.order_by("pk")[0].pk
    of_one = replace(by_month, granularity=Granularity.WEEK, scope=Scope(person_id=first))
    assert not lines._is_kept(plan(of_one, Clock.read()))
