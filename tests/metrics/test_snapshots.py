"""Cells follow the facts, a nightly fill reproduces them, and readers are never told less than the facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from insights import windows
from insights.metrics.outcomes import Begun, Outcomes, outcomes_from_facts
from insights.metrics.plan import Plan
from insights.metrics.query import Dimension, Granularity, MetricQuery, Scope, Window
from insights.metrics.read import Freshness, read_series, read_totals
from insights.metrics.registry import metrics
from insights.models import CellGroup, DirtyRange, MetricCell, SnapshotState
from insights.snapshots import filling, groups
from insights.snapshots.alone import LOCK
from insights.snapshots.filling import fill_everything
from insights.snapshots.kept import kept_segments, only_in_windows
from insights.snapshots.pulse import pulse
from insights.snapshots.refresh import refresh
from insights.snapshots.waiting import SnapshotHealth, snapshot_health
from integrations.facts.changes import Change, append_changes
from integrations.models import AgentSession, AgentSessionDay, FactChange, FactFamily
from tests.metrics.facts import World, announce, create_world
from tests.metrics.kept import filled_both_ways
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
DAYS = [TODAY - timedelta(days=n) for n in range(59, -1, -1)]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as travelling:
        yield travelling


@pytest.fixture(scope="module")
def world(stored_once: StoreOnce) -> Iterator[World]:
    with stored_once(lambda: create_world(5, days=DAYS, sessions=40), at=NOW) as world:
        yield world


def cells() -> set[tuple[object, ...]]:
    """Every cell but for its number and its time."""
    fields = [field.attname for field in MetricCell._meta.fields if field.name not in ("id", "computed_at")]
    return {tuple(map(_hashable, row)) for row in MetricCell.objects.values_list(*fields)}


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def test_the_nightly_fill_reproduces_what_refreshes_left(world: World) -> None:
    refresh()
    sessions = list(AgentSession.objects.order_by("id"))
    AgentSessionDay.objects.filter(session=sessions[0]).delete()
    AgentSession.objects.filter(pk=sessions[1].pk).update(started_on=DAYS[3], active_seconds=77)
    AgentSessionDay.objects.filter(session=sessions[2]).update(input_tokens=123_456)
    announce(world, tomorrow=TODAY + timedelta(days=1))
    person_id = sessions[1].identity.person_id
    append_changes([Change(FactFamily.AI, person_id, DAYS[3], DAYS[4])])
    refresh()
    refreshed = cells()
    assert refreshed
    assert fill_everything() == len(refreshed)
    assert cells() == refreshed


def test_cells_tell_what_facts_tell_of_every_metric(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = [
        MetricQuery(metric.key, windows.trailing(12), scope=Scope(unit), segments=split)
        for metric in metrics()
        for split in kept_segments(metric)
        for unit in (None, "root")
    ]
    series = [query for query in queries if not only_in_windows(query.segments)]
    assert any(query not in series for query in queries), "some splits are kept in windows alone"
    from_facts = [*read_series(series), *read_totals(queries)]
    refresh()
    asked = _noting_what_is_read_from_facts(monkeypatch)
    from_cells = [*read_series(series), *read_totals(queries)]
    assert not asked
    for kept, computed in zip(from_cells, from_facts, strict=True):
        assert (kept.total, kept.series, kept.unmatched) == (computed.total, computed.series, computed.unmatched)


def test_what_is_filtered_by_one_value_is_what_a_split_keeps_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = [
        MetricQuery(metric.key, windows.trailing(12), scope=Scope(unit), facets={dimension: (value,)})
        for metric in metrics()
        for dimension in metric.facets
        if (dimension,) in kept_segments(metric)
        for value in _values(metric.key, dimension)
        for unit in (None, "root")
    ]
    assert len({query.key for query in queries}) > 40
    assert len({dimension for query in queries for dimension in query.facets}) > 5
    series = [query for query in queries if not only_in_windows(tuple(query.facets))]
    from_facts = [*read_series(series), *read_totals(queries)]
    refresh()
    asked = _noting_what_is_read_from_facts(monkeypatch)
    from_cells = [*read_series(series), *read_totals(queries)]
    for kept, computed in zip(from_cells, from_facts, strict=True):
        assert (kept.total, kept.series, kept.unmatched) == (computed.total, computed.series, computed.unmatched)
    assert len(asked) < len(from_cells) / 4, "those that ask for sessions in which a model was used"


def test_two_values_are_no_sum_of_two_cells(world: World) -> None:
    """A median of two agents' sessions is none of theirs, and a developer who uses both is one."""
    [answer] = read_totals([MetricQuery("ai.sessions", windows.trailing(12), segments=(Dimension.AGENT,))])
    both = {Dimension.AGENT: tuple(figure.segment["agent"] for figure in answer.total[:2])}
    queries = [MetricQuery(key, windows.trailing(12), facets=both) for key in ("ai.sessions", "ai.active_developers")]
    from_facts = read_totals(queries)
    refresh()
    assert [each.total for each in read_totals(queries)] == [each.total for each in from_facts]


def _values(key: str, dimension: Dimension) -> list[str]:
    """Some that occur, and one that does not."""
    [answer] = read_totals([MetricQuery(key, windows.trailing(12), segments=(dimension,))])
    return [*[figure.segment[dimension.value] for figure in answer.total if figure.segment][:2], "no such value"]


def test_a_new_day_rolls_the_windows_as_a_fill_would(world: World, clock: time_machine.Traveller) -> None:
    refresh()
    clock.shift(timedelta(days=9))
    refresh()
    rolled = cells()
    fill_everything()
    assert cells() == rolled
    assert {group.rolled_to for group in CellGroup.objects.all()} == {TODAY + timedelta(days=9)}


def test_a_refresh_takes_the_outbox_and_leaves_no_dirt(world: World) -> None:
    assert FactChange.objects.exists()
    before = pulse()
    assert refresh() > 0
    assert not FactChange.objects.exists()
    assert not DirtyRange.objects.exists()
    after = pulse()
    assert after != before
    assert refresh() == 0
    assert pulse() == after


def test_a_pushed_fact_is_in_the_answer_before_it_is_in_a_cell(world: World) -> None:
    refresh()
    query = MetricQuery("ai.tokens", windows.trailing(4), scope=Scope("root"))
    before = read_series([query])[0].total[0].value
    row = AgentSessionDay.objects.filter(counted=True, day__gte=query.window.start, identity__person__isnull=False)
    changed = row.filter(identity__person__in=[p for p, unit, _, _ in world.placements if unit == "root"]).first()
    assert changed is not None
    assert before is not None
    changed.input_tokens += 1000
    changed.save()
    announce(world, tomorrow=TODAY + timedelta(days=1))
    assert read_series([query])[0].total[0].value == before + 1000
    assert read_series([query], freshness=Freshness.OF_PAGES)[0].total[0].value == before
    refresh()
    assert read_series([query], freshness=Freshness.OF_PAGES)[0].total[0].value == before + 1000


def test_pages_go_to_the_facts_when_nobody_refreshes(world: World, clock: time_machine.Traveller) -> None:
    refresh()
    query = MetricQuery("ai.tokens", windows.trailing(4))
    changed = AgentSessionDay.objects.filter(counted=True, day__gte=query.window.start).first()
    assert changed is not None
    before = read_series([query])[0].total[0].value or 0
    changed.input_tokens += 1000
    changed.save()
    announce(world, tomorrow=TODAY + timedelta(days=1))
    FactChange.objects.update(at=NOW)
    clock.shift(timedelta(seconds=61))
    assert read_series([query], freshness=Freshness.OF_PAGES)[0].total[0].value == before + 1000


def test_dirt_of_other_days_leaves_a_month_to_its_cell(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh()
    asked: list[Plan] = []

    def noting(begun: Sequence[Begun], *others: Any) -> list[Outcomes]:
        asked.extend(each.plan for each in begun)
        return []

    monkeypatch.setattr("insights.metrics.read.outcomes_from_facts", noting)
    FactChange.objects.create(family="ai", day_from=TODAY, day_to=TODAY + timedelta(days=1))
    february = Window(date(2026, 2, 1), date(2026, 3, 1))
    read_series([MetricQuery("ai.sessions", february, granularity=Granularity.MONTH)])
    assert not asked


def test_one_process_refreshes_at_a_time(world: World) -> None:

    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert refresh() == 0
        assert FactChange.objects.exists()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    finally:
        other.close()
    assert refresh() > 0


def test_a_segment_with_too_many_values_is_read_from_facts(world: World) -> None:
    for number, session in enumerate(AgentSession.objects.all()):
        AgentSession.objects.filter(pk=session.pk).update(agent=f"agent-{number % 20}")
    query = MetricQuery("ai.sessions", windows.trailing(12), segments=(Dimension.AGENT,))
    from_facts = read_series([query])[0]
    refresh()
    from_cells = read_series([query])[0]
    assert len(from_facts.total) > 12
    assert (from_cells.total, from_cells.series) == (from_facts.total, from_facts.series)


def test_which_segments_have_too_many_values_is_the_same_however_they_are_computed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("storing", "storing_from_memory"):
        monkeypatch.setattr(f"insights.snapshots.{module}.MOST_SEGMENT_VALUES", 2)
        monkeypatch.setattr(f"insights.snapshots.{module}.MOST_LISTED_VALUES", 3)
    by_database, in_memory = filled_both_ways()
    assert in_memory == by_database
    values_of: dict[str, set[str]] = {period: set() for period in ("week", "window")}
    for (relation, segment, unit, period, _, _, value), _ in by_database.items():
        if (relation, segment) == ("agent_session_days", "model") and unit and period in values_of:
            values_of[period].add(value)
    assert all("" in values and len(values) > 1 for values in values_of.values())


def _noting_what_is_read_from_facts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The metrics that are read from facts from now on."""
    asked: list[str] = []

    def noting(begun: Sequence[Begun], *others: Any) -> list[Outcomes]:
        asked.extend(each.plan.metric.key for each in begun)
        return outcomes_from_facts(begun, *others)

    monkeypatch.setattr("insights.metrics.read.outcomes_from_facts", noting)
    return asked


def test_old_cells_answer_until_those_of_a_new_measure_are_filled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = [MetricQuery(key, windows.trailing(4)) for key in ("ai.sessions", "ai.session_span")]
    with monkeypatch.context() as before:
        before.setattr(groups, "metrics", lambda: tuple(each for each in metrics() if each.key != "ai.session_span"))
        refresh()
    asked = _noting_what_is_read_from_facts(monkeypatch)
    as_before = read_series(queries)
    assert asked == ["ai.session_span"]
    assert refresh() > 0
    asked.clear()
    assert [each.total for each in read_series(queries)] == [each.total for each in as_before]
    assert not asked
    assert CellGroup.objects.filter(relation="agent_sessions", segment_name="").count() == 1


def test_what_nothing_is_computed_for_any_more_goes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh()
    filled = cells()
    monkeypatch.setattr(
        groups, "metrics", lambda: tuple(each for each in metrics() if each.families != {FactFamily.ENROLMENT})
    )
    CellGroup.objects.create(relation="gone", starts={"0": 0}, fiscal_month=1, rolled_to=TODAY)
    refresh()
    assert not CellGroup.objects.filter(relation="gone").exists()
    assert cells() <= filled


def test_more_dirt_than_half_of_all_is_filled_instead(
    world: World, monkeypatch: pytest.MonkeyPatch, clock: time_machine.Traveller
) -> None:
    refresh()
    filled = cells()
    monkeypatch.setattr(filling, "UNIT_DAYS_FOR_A_FILL", 0)
    monkeypatch.setattr(filling, "SHARE_FOR_A_FILL", 0.5)
    monkeypatch.setattr("insights.snapshots.refresh.catch_up_once", lambda _: None)
    for person_id in {person for person, *_ in world.placements}:
        append_changes([Change(FactFamily.AI, person_id, DAYS[0], TODAY + timedelta(days=1))])
    clock.shift(timedelta(minutes=1))
    refresh()
    assert not DirtyRange.objects.filter(family=FactFamily.AI).exists()
    sessions = CellGroup.objects.get(relation="agent_sessions", segment_name="")
    assert sessions.filled_at == NOW + timedelta(minutes=1)
    assert cells() == filled


def test_a_fill_computes_what_was_dirty_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh()
    filled = cells()
    append_changes([Change(FactFamily.AI, world.placements[0][0], DAYS[0], TODAY + timedelta(days=1))])

    def once_more(*_: object, **__: object) -> int:
        raise AssertionError("the fill has computed these cells")

    monkeypatch.setattr("insights.snapshots.catching_up.recompute", once_more)
    fill_everything()
    assert not DirtyRange.objects.exists()
    assert cells() == filled


def test_health_tells_of_lag_and_of_the_last_fill(world: World, clock: time_machine.Traveller) -> None:
    empty = snapshot_health()
    assert (empty.standing, empty.groups, empty.filled_at) == (0, 0, None)
    refresh()
    health = snapshot_health()
    assert health.standing == health.groups > 0
    assert health.filled_at is not None
    assert health.since is None
    FactChange.objects.create(family="ai", day_from=TODAY, day_to=TODAY + timedelta(days=1), at=NOW)
    assert snapshot_health().lag(NOW + timedelta(seconds=90)) == timedelta(seconds=90)


def test_a_fill_that_was_killed_is_not_under_way_for_ever(world: World) -> None:
    refresh()
    SnapshotState.note(filling_since=NOW)
    assert snapshot_health().filling_since == NOW
    refresh()
    assert snapshot_health().filling_since is None


def test_time_left_follows_from_the_pieces_that_are_done() -> None:
    since = NOW - timedelta(minutes=6)
    health = SnapshotHealth(None, 20, 20, since, pieces=5, pieces_filled=2, filled_at=None, filled_seconds=0)
    assert health.time_left(NOW) == timedelta(minutes=9)
