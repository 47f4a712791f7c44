"""Forecasts of work whose end is known by hand, what changes do to them, and what history they replay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.formulas.forecast import (
    EVEN,
    HORIZON,
    LIKELY,
    NO_CHANGES,
    SAFE,
    Changes,
    Forecast,
    History,
    Part,
    Throughput,
    TooLittleHistory,
    how_many,
    when_finished,
)
from insights.formulas.forecast_calibration import Calibration, Verdict, calibration
from insights.formulas.forecast_window import Reason, change_of_team, choose_window

UNEVEN = [4, 0, 0, 6, 0, 0, 1, 0, 0, 2, 9, 0, 0, 0, 8]  # two a day: weeks of ten, three and seventeen


def history(finished: list[int], added: list[int] | None = None) -> History:
    return History(np.array(finished), np.array(added or [0] * len(finished)))


def forecast(of: History, remaining: int, changes: Changes = NO_CHANGES) -> Forecast:
    found = when_finished(of, remaining, seed=1, changes=changes)
    assert isinstance(found, Forecast)
    return found


def throughput(of: History, days: int, changes: Changes = NO_CHANGES) -> Throughput:
    found = how_many(of, days, seed=1, changes=changes)
    assert isinstance(found, Throughput)
    return found


STEADY = history([2] * 30)


def test_a_part_of_a_teams_work_has_its_part_of_the_pace() -> None:
    """Of two items a day, half: ten items take ten days.  Of two items one says little: from five days to never."""
    known = forecast(replace(STEADY, part=Part(500_000, 1_000_000)), 10)
    assert (known.day_at(EVEN), known.day_at(SAFE)) == (10, 11), "half of the shares are below a half by a hair"
    young = forecast(replace(STEADY, part=Part(1, 2)), 10)
    assert Part(1, 2).share == 0.5
    assert young.day_at(EVEN) == pytest.approx(10, abs=1), "the median of a share between 0 and 1 is a half, too"
    safe = young.day_at(SAFE)
    assert safe == pytest.approx(37, abs=3), "5 % of shares are below 0.135: 10 ÷ (2 × 0.135)"


@pytest.mark.parametrize(
    ("finished", "added", "remaining", "day"),
    [
        ([2] * 30, [0] * 30, 10, 5),
        ([2] * 30, [0] * 30, 11, 6),  # the last item takes a day of its own
        ([2] * 30, [1] * 30, 10, 10),  # one of two is eaten by growth
        ([3] * 30, [-1] * 30, 12, 3),  # items are dropped
        ([2] * 30, [2] * 30, 10, None),  # never
        ([2] * 30, [0] * 30, 0, 0),  # it is finished today
        ([2] * 30, [0] * 30, 2 * HORIZON, HORIZON),
        ([2] * 30, [0] * 30, 2 * HORIZON + 1, None),
    ],
)
def test_a_steady_team_has_one_date(finished: list[int], added: list[int], remaining: int, day: int | None) -> None:
    found = forecast(history(finished, added), remaining)
    assert [found.day_at(odds) for odds in (EVEN, LIKELY, SAFE)] == [day] * 3
    if day:
        assert found.odds_by(day - 1) == 0
        assert found.odds_by(day) == 1
        assert found.odds_of_days(day).tolist() == [0.0] * (day - 1) + [1.0]


def test_uneven_days_spread_the_dates_and_days_of_nothing_count() -> None:
    found = forecast(history(UNEVEN * 4), 40)
    dates = [found.day_at(odds) or 0 for odds in (EVEN, LIKELY, SAFE)]
    assert dates == sorted(dates)
    assert 16 <= dates[0] <= 24  # 40 items at two a day
    assert found.odds_by(dates[1]) == pytest.approx(LIKELY, abs=0.1)


@pytest.mark.parametrize(
    ("finished", "expected"),
    [
        ([1] * 9 + [0] * 21, TooLittleHistory(finished=9, days=30)),
        ([5] * 9, TooLittleHistory(finished=45, days=9)),
        ([], TooLittleHistory(finished=0, days=0)),
    ],
)
def test_too_little_history_is_a_value(finished: list[int], expected: TooLittleHistory) -> None:
    assert when_finished(history(finished), 5, seed=1) == expected
    assert how_many(history(finished), 5, seed=1) == expected


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        (Changes(scope=-4), 8),
        (Changes(scope=4), 12),
        (Changes(scope=-50), 0),
        (Changes(people=1, team=0), 10),  # nobody known is behind it
        (Changes(wip_limit=2, active_days=2), 20),  # Little: 2 in progress, 2 days each: 1 a day in place of 2
        (Changes(wip_limit=4, active_days=2), 10),  # enough for 2 a day
        (Changes(wip_limit=40, active_days=2), 10),
        (Changes(wip_limit=1, active_days=None), 10),  # nothing is known of how long an item takes
    ],
)
def test_a_change_moves_the_date_by_as_much_as_it_says(changes: Changes, day: int) -> None:
    assert forecast(STEADY, 20, changes).day_at(LIKELY) == day


def test_one_person_more_or_less_is_a_range() -> None:
    """Two a day by four: one more makes 2.0 to 2.5 a day, so 40 items take 16 to 20 days; one less 1.5 to 1.75."""
    more, fewer = forecast(STEADY, 40, Changes(people=1, team=4)), forecast(STEADY, 40, Changes(people=-1, team=4))
    assert (more.days.min(), more.days.max()) == (17, 20)  # 16 needs a full share, which has no chance of its own
    assert (fewer.days.min(), fewer.days.max()) == (23, 27)
    assert forecast(STEADY, 40, Changes(people=-4, team=4)).day_at(SAFE) is None


def test_how_many_items_by_hand() -> None:
    assert [throughput(STEADY, 7).at_least(odds) for odds in (EVEN, LIKELY, SAFE)] == [14, 14, 14]
    assert throughput(STEADY, 0).at_least(LIKELY) == 0
    uneven = throughput(history(UNEVEN * 4), 20)
    assert uneven.at_least(SAFE) < uneven.at_least(LIKELY) < uneven.at_least(EVEN)
    assert uneven.at_least(EVEN) == pytest.approx(40, abs=5)


HISTORIES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=10, max_size=60).filter(
    lambda days: sum(finished for finished, _ in days) >= 10
)


@settings(max_examples=50)
@given(days=HISTORIES, remaining=st.integers(1, 60), ahead=st.integers(1, 40))
def test_both_questions_have_one_answer(days: list[tuple[int, int]], remaining: int, ahead: int) -> None:
    """Without growth a run has finished the scope by a day exactly if it finished that many items by then."""
    of = history([finished for finished, _ in days])
    enough = float(np.mean(throughput(of, ahead).items >= remaining))
    assert forecast(of, remaining).odds_by(ahead) == pytest.approx(enough)


@settings(max_examples=30)
@given(days=HISTORIES, remaining=st.integers(1, 40), more=st.integers(1, 10))
def test_more_to_do_is_never_earlier_and_fewer_days_never_more(
    days: list[tuple[int, int]], remaining: int, more: int
) -> None:
    of = history(*map(list, zip(*days, strict=True)))
    assert (forecast(of, remaining).days <= forecast(of, remaining, Changes(scope=more)).days).all()
    assert (forecast(of, remaining).days >= forecast(of, remaining, Changes(people=1, team=5)).days).all()
    assert (forecast(of, remaining).days <= forecast(of, remaining, Changes(people=-1, team=5)).days).all()
    assert (throughput(of, 5).items <= throughput(of, 5 + more).items).all()


def test_the_same_seed_gives_the_same_forecast() -> None:
    of = history(UNEVEN * 4)
    assert (forecast(of, 40).days == forecast(of, 40).days).all()


# Windows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finished", "since_change", "days", "reason"),
    [
        ([2] * 20, None, 20, Reason.WHOLE),
        ([2] * 100, None, 100, Reason.LONGEST),
        ([2] * 200, None, 130, Reason.LONGEST),
        ([1] * 150 + [4] * 50, None, 30, Reason.BETTER),  # four times the pace: the last six weeks predicted best
        ([1] * 150 + [4] * 50, 50, 50, Reason.TEAM_CHANGED),
        ([1] * 150 + [4] * 10, 10, 130, Reason.LONGEST),  # two weeks are no pace yet
        ([2] * 100 + [0] * 18 + [1] * 7, 25, 30, Reason.BETTER),  # seven items since the change are no history
    ],
)
def test_the_window_follows_a_changed_pace_and_is_long_otherwise(
    finished: list[int], since_change: int | None, days: int, reason: Reason
) -> None:
    chosen = choose_window(history(finished), days_since_change=since_change)
    assert (chosen.history.days, chosen.reason) == (days, reason)


@pytest.mark.parametrize(
    ("people", "since"),
    [
        ([5] * 40, None),
        ([5] * 30 + [6] * 10, None),  # a sixth
        ([5] * 30 + [7] * 10, 10),
        ([8] * 30 + [7, 6, 5, 5, 5, 5], 4),  # three leave one by one
        ([], None),
        ([0] * 6 + [3] * 6, 6),
    ],
)
def test_a_team_has_changed_when_a_fifth_came_or_left_in_a_week(people: list[int], since: int | None) -> None:
    assert change_of_team(people) == since


# Calibration --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "of", "verdict"),
    [
        (0, 0, Verdict.UNKNOWN),
        (9, 9, Verdict.UNKNOWN),
        (34, 41, Verdict.CALIBRATED),
        (15, 20, Verdict.CALIBRATED),  # 75 %
        (19, 20, Verdict.CALIBRATED),  # 95 %
        (14, 20, Verdict.TOO_EARLY),
        (20, 20, Verdict.TOO_LATE),
    ],
)
def test_forecasts_are_calibrated_between_75_and_95_percent(held: int, of: int, verdict: Verdict) -> None:
    assert Calibration(held, of).verdict == verdict


def test_a_date_holds_on_its_day_and_never_is_later_than_any_day() -> None:
    assert calibration([(5, 5), (5, 4), (5, 6), (None, 90)]) == Calibration(held=3, of=4)
    assert calibration([]).share is None
