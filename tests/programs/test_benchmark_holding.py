"""The benchmark in force for a unit: its own, the nearest above, the organisation's; also after moves and removals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from insights.query.query import Scope
from insights.query.windows import local_today
from insights.ui.agreements import agreements_on
from orgtree.models import Unit, UnitPlace
from orgtree.trees.unit_placements import rebuild_unit_placements
from programs.benchmarks.queries.benchmarks import benchmarks_for, benchmarks_of_units, newest_version
from programs.benchmarks.services.writing import set_benchmark, withdraw_benchmark
from programs.models import BenchmarkVersion
from tests.org import Org
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER
from tests.programs.agreements import HOUR, PICKUP, agree, draft
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams()


def threshold_hours(unit: Unit | None, key: str = PICKUP) -> float | None:
    """The threshold in force for the unit, in hours."""
    benchmark = benchmarks_for([key], unit.pk if unit else None, as_(EXECUTIVE).visibility).get(key)
    return None if benchmark is None or benchmark.version.threshold is None else benchmark.version.threshold / HOUR


def of(hours: float, unit: str) -> BenchmarkVersion:
    return agree(threshold=hours * HOUR, target=None, unit=unit)


def test_the_nearest_above_holds_until_one_has_its_own(teams: Teams) -> None:
    assert threshold_hours(teams.platform) is None
    of(40, "")
    assert [threshold_hours(unit) for unit in (None, teams.engineering, teams.platform)] == [40, 40, 40]
    of(30, "engineering")
    assert [threshold_hours(unit) for unit in (None, teams.engineering, teams.platform)] == [40, 30, 30]
    of(20, "platform")
    assert [threshold_hours(unit) for unit in (teams.engineering, teams.platform, teams.search)] == [30, 20, 30]
    held = benchmarks_for(None, teams.search.pk, as_(OTHER_MEMBER).visibility)[PICKUP]
    assert (held.is_own, held.version.unit) == (False, teams.engineering)


def test_taking_back_falls_back_to_what_is_above_and_can_be_agreed_again(teams: Teams) -> None:
    of(40, "")
    of(20, "platform")
    withdraw_benchmark(as_(MANAGER), PICKUP, {"unit": "platform", "reason": "We follow the others."}, of_number=1)
    assert threshold_hours(teams.platform) == 40
    with pytest.raises(FieldError, match="No benchmark is set"):
        withdraw_benchmark(as_(MANAGER), PICKUP, {"unit": "platform", "reason": "Again"}, of_number=2)
    of(10, "platform")
    assert threshold_hours(teams.platform) == 10
    own = BenchmarkVersion.objects.filter(unit=teams.platform).order_by("number")
    assert [(version.number, version.is_removal, version.reason) for version in own] == [
        (1, False, "Reviews wait overnight."),
        (2, True, "We follow the others."),
        (3, False, "Reviews wait overnight."),
    ]


def test_a_unit_that_moves_takes_over_what_holds_at_its_new_place(org: Org, teams: Teams) -> None:
    of(30, "engineering")
    of(12, "platform")
    assert threshold_hours(teams.search) == 30
    tomorrow = local_today() + timedelta(days=1)
    org.move_unit("search", to="platform", on=tomorrow)
    assert threshold_hours(teams.search) == 30, "not today yet"
    held = benchmarks_for([PICKUP], teams.search.pk, as_(EXECUTIVE).visibility, on=tomorrow)[PICKUP]
    assert (held.version.threshold, held.version.unit) == (12 * HOUR, teams.platform)


def test_a_unit_that_stands_nowhere_any_more_keeps_its_own(teams: Teams) -> None:
    of(40, "")
    of(20, "search")
    of(30, "engineering")
    UnitPlace.objects.filter(unit=teams.search).delete()
    rebuild_unit_placements([teams.tree.pk])
    assert threshold_hours(teams.search) == 20
    with pytest.raises(FieldError, match="is no longer in any Org Tree"):
        of(10, "search")
    withdraw_benchmark(as_(EXECUTIVE), PICKUP, {"unit": "search", "reason": "The team is dissolved."}, of_number=1)
    assert threshold_hours(teams.search) == 40, "no longer below Engineering"


def test_nothing_is_agreed_for_a_tree_that_was_archived(teams: Teams) -> None:
    teams.tree.archived_at = timezone.now()
    teams.tree.save()
    with pytest.raises(FieldError, match="is no longer in any Org Tree"):
        of(10, "platform")


def test_counts_are_not_inherited(teams: Teams) -> None:
    """Ten deployments a day of all are not asked of each team."""
    for key, period in (("dora.deployment_frequency", ""), ("pr.throughput", "week"), ("wip.count", "")):
        agree(metric=key, unit="", threshold=10.0, target=None, period=period)
        held = benchmarks_of_units([key], [None, teams.engineering.pk, teams.platform.pk], as_(EXECUTIVE).visibility)
        assert [len(benchmark) for benchmark in held.values()] == [1, 0, 0], key
        agree(metric=key, unit="platform", threshold=3.0, target=None, period=period)
        assert benchmarks_for([key], teams.platform.pk, as_(EXECUTIVE).visibility)[key].is_own
    agree(metric="incident.count_per_deployment", unit="", threshold=0.1, target=None)
    inherited = benchmarks_for(["incident.count_per_deployment"], teams.platform.pk, as_(EXECUTIVE).visibility)
    assert len(inherited) == 1, "a quotient"


def test_metrics_do_not_mix(teams: Teams) -> None:
    of(20, "platform")
    agree(metric="pr.size", unit="engineering", threshold=200.0, target=100.0)
    holding = benchmarks_for(None, teams.platform.pk, as_(EXECUTIVE).visibility)
    assert {key: held.version.threshold for key, held in holding.items()} == {PICKUP: 20 * HOUR, "pr.size": 200}
    assert set(benchmarks_for(["pr.size"], teams.platform.pk, as_(EXECUTIVE).visibility)) == {"pr.size"}


def test_many_units_and_metrics_are_two_queries(teams: Teams) -> None:
    of(40, "")
    of(20, "platform")
    visibility = as_(EXECUTIVE).visibility
    with CaptureQueriesContext(
        connection,
    ) as queries:
        by_unit = benchmarks_of_units(
            None, [None, teams.engineering.pk, teams.platform.pk, teams.search.pk], visibility
        )
    assert len(queries) == 2
    assert {unit: held[PICKUP].version.threshold for unit, held in by_unit.items()} == {
        None: 40 * HOUR,
        teams.engineering.pk: 40 * HOUR,
        teams.platform.pk: 20 * HOUR,
        teams.search.pk: 40 * HOUR,
    }


def test_no_version_is_ever_changed_or_deleted(teams: Teams) -> None:
    version = of(20, "platform")
    for change in (
        lambda: BenchmarkVersion.objects.filter(pk=version.pk).update(threshold=1.0),
        lambda: BenchmarkVersion.objects.filter(pk=version.pk).delete(),
    ):
        with pytest.raises(Error, match="Cannot update or delete"), transaction.atomic():
            change()


def test_who_may_agree(teams: Teams) -> None:
    for persona in (MANAGER, EXECUTIVE, ADMIN):
        agree(persona, unit="platform")
    for persona in (MEMBER, OTHER_MEMBER):
        with pytest.raises((MayNotWriteError, FieldError)):
            agree(persona, unit="platform")
    with pytest.raises(MayNotWriteError):
        agree(MANAGER, unit="")
    with pytest.raises(FieldError, match="no unit"):
        agree(MANAGER, unit="search")  # which Edith may not look at


def test_two_who_agree_at_once(teams: Teams) -> None:
    of(20, "platform")
    with pytest.raises(ConflictError) as conflict:
        set_benchmark(as_(MANAGER), draft(threshold=5 * HOUR, target=None), of_number=0)
    assert conflict.value.stored is not None
    assert conflict.value.stored.threshold == 20 * HOUR
    assert newest_version(PICKUP, teams.platform.pk) == conflict.value.stored, "nothing of it was stored"


NOT_AGREED: Sequence[tuple[dict[str, Any], str]] = [
    ({"threshold": None, "target": None}, "threshold"),
    ({"threshold": 5 * HOUR, "target": 6 * HOUR}, "target"),
    ({"metric": "pr.linked_rate", "threshold": 90.0, "target": 80.0}, "target"),
    ({"metric": "pr.linked_rate", "threshold": 101.0, "target": None}, "threshold"),
    ({"threshold": -1.0, "target": None}, "threshold"),
    ({"threshold": float("nan"), "target": None}, "threshold"),
    ({"threshold": float("inf"), "target": None}, "threshold"),
    ({"reason": "  "}, "reason"),
    ({"reason": "x" * 401}, "reason"),
    ({"reason": "NUL \x00"}, "reason"),
    ({"metric": "dora.luck"}, "metric"),
    ({"metric": "ai.committed_breakdown"}, "metric"),
    ({"unit": "nowhere"}, "unit"),
    ({"unit": "\x00"}, "unit"),
    ({"weeks": 3}, "weeks"),
    ({"period": "week"}, "period"),
    ({"metric": "pr.throughput", "threshold": 5.0, "target": 8.0}, "period"),
    ({"metric": "pr.throughput", "threshold": 5.0, "target": 8.0, "period": "fortnight"}, "period"),
    ({"metric": "ai.session_duration", "threshold": 60.0, "target": 30.0}, "better"),
]


def test_what_cannot_be_agreed(teams: Teams, subtests: pytest.Subtests) -> None:
    for fields, field in NOT_AGREED:
        with subtests.test(fields=fields):
            with pytest.raises(FieldError) as refused:
                agree(**fields)
            assert refused.value.field == field
            assert not BenchmarkVersion.objects.exists()


def test_a_metric_without_a_direction_is_given_one(teams: Teams) -> None:
    longer = agree(metric="ai.session_duration", threshold=60.0, target=90.0, better="higher")
    assert longer.reaches(95.0, 90.0)
    with pytest.raises(FieldError, match="cannot be worse"):
        agree(metric="ai.session_duration", threshold=60.0, target=90.0, better="lower")


def test_a_metric_that_is_gone_stays_listed_and_can_be_taken_back(teams: Teams) -> None:
    gone = BenchmarkVersion.objects.create(
        metric="dora.luck", unit=teams.platform, number=1, metric_version=1, better="higher", threshold=1.0, reason="?"
    )
    held = benchmarks_for(None, teams.platform.pk, as_(MANAGER).visibility)["dora.luck"]
    assert (held.version, held.metric) == (gone, None)
    assert agreements_on(["pr.size"], Scope("platform"), as_(MANAGER)) == {}
    withdraw_benchmark(as_(MANAGER), "dora.luck", {"unit": "platform", "reason": "It is gone."}, of_number=1)
    assert benchmarks_for(None, teams.platform.pk, as_(MANAGER).visibility) == {}


def test_what_was_agreed_on_an_older_formula_is_no_longer_drawn(teams: Teams) -> None:
    BenchmarkVersion.objects.create(
        metric=PICKUP, number=1, metric_version=99, statistic="median", better="lower", threshold=1.0, reason="?"
    )
    held = benchmarks_for([PICKUP], teams.platform.pk, as_(MANAGER).visibility)[PICKUP]
    assert held.is_of_older_formula
    assert agreements_on([PICKUP], Scope("platform"), as_(MANAGER)) == {}
