"""Random histories with every trap at once: stored figures agree with slow counting in Python."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from insights.catalogue.registry import get
from insights.engine.read import read_series
from insights.query.query import Dimension, Granularity, Query, Statistic, Window
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import PullRequestEventKind, ReviewState
from integrations.models import PullRequestFigures
from orgtree.identities.decisions import merge
from orgtree.models import Person
from tests.delivery.oracle.figures import Counted, spread
from tests.delivery.pull_requests.conftest import figures
from tests.delivery.pull_requests.histories import Commit, History, Review, parts_of
from tests.delivery.pull_requests.oracle import AGENTS, Expected, expected, open_on, opened_at, stale_on
from tests.intake.conftest import Tell
from tests.seeds import seeds

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
LOGINS = ("ada", "ada-work", "ben", "cy", "lint[bot]", "renovate[bot]", *AGENTS)
PEOPLE = {"ada-work": "ada"}
MARKS = (
    PullRequestEventKind.READY,
    PullRequestEventKind.DRAFT,
    PullRequestEventKind.FORCE_PUSHED,
    PullRequestEventKind.REVIEW_REQUESTED,
)
SPRING = Window(date(2026, 3, 2), date(2026, 6, 1))
SPREADS = {
    **{f"pr.{stage}_time": stage for stage in ("coding", "pickup", "review", "merge", "cycle")},
    "pr.size": "size",
}
DAYS = [date(2026, 3, 2) + timedelta(days=offset) for offset in range(90)]


def random_histories(chance: random.Random, many: int) -> list[History]:
    return [_random_history(chance, number) for number in range(1, many + 1)]


def _random_history(chance: random.Random, number: int) -> History:
    created = MONDAY + timedelta(hours=chance.randrange(24 * 20))

    def moment(most_hours: int = 24 * 40) -> datetime:
        return created + timedelta(hours=chance.randrange(-24, most_hours), minutes=chance.randrange(3))

    history = History(number, chance.choice(LOGINS), created, draft=chance.random() < 0.3)
    history.marks = _marks(chance, created)
    history.reviews = [
        Review(moment(), chance.choice(LOGINS), chance.choice(list(ReviewState))) for _ in range(chance.randrange(5))
    ]
    # Few names, so that branches share commits.
    names = chance.sample([f"c{position}" for position in range(30)], chance.randrange(4))
    history.commits = [_commit(name, chance) for name in names]
    if chance.random() < 0.7:
        history.merged_at, history.merged_by = moment(), chance.choice(("", *LOGINS[:4]))
        history.target = chance.choice(("main", "main", "release"))
    elif chance.random() < 0.5:
        history.closed_at = created + timedelta(hours=chance.randrange(24 * 50))
    if chance.random() < 0.6:
        history.additions, history.deletions = chance.randrange(900), chance.randrange(300)
    if chance.random() < 0.7:
        history.comments = chance.randrange(12)
    return history


def _marks(chance: random.Random, created: datetime) -> list[tuple[datetime, PullRequestEventKind]]:
    """Random marks; closing and reopening alternate, as they do."""
    marks = [
        (created + timedelta(hours=chance.randrange(24 * 30), minutes=1), chance.choice(MARKS))
        for _ in range(chance.randrange(3))
    ]
    if chance.random() < 0.4:
        closed = created + timedelta(hours=chance.randrange(1, 24 * 10), minutes=2)
        reopened = closed + timedelta(hours=chance.randrange(1, 24 * 10))
        marks += [(closed, PullRequestEventKind.CLOSED), (reopened, PullRequestEventKind.REOPENED)]
    return marks


def _commit(name: str, chance: random.Random) -> Commit:
    """A commit, determined by its name, whichever pull request lists it."""
    number = int(name[1:])
    at = MONDAY + timedelta(hours=number * 17 % 500)
    return Commit(name, at, at + timedelta(hours=number % 5), LOGINS[number % len(LOGINS)])


def stored() -> dict[int, Expected]:
    return {number: _as_expected(row) for number, row in figures().items()}


def _as_expected(row: PullRequestFigures) -> Expected:
    return Expected(
        row.exclusion_reason,
        row.coding_seconds,
        row.pickup_seconds,
        row.review_seconds,
        row.merge_seconds,
        row.cycle_seconds,
        row.review_count,
        row.reviewer_count,
        row.is_self_merged,
        row.size,
        row.agents,
    )


def be_one_person(first: str, second: str) -> None:
    """As an admin who merges them."""
    into, taken_in = (
        Person.objects.get(identities__kind="login", identities__value=login) for login in (first, second)
    )
    merge(taken_in, into, by=None)
    recompute_waiting_pull_requests()


@pytest.mark.parametrize("seed", seeds())
def test_sql_and_slow_counting_agree(seed: int, tell: Tell) -> None:
    chance = random.Random(seed)
    histories = random_histories(chance, 40)
    pieces = [piece for history in histories for piece in parts_of(history)]
    chance.shuffle(pieces)
    for start in range(0, len(pieces), 25):
        tell(*pieces[start : start + 25])
    recompute_waiting_pull_requests()
    be_one_person("ada", "ada-work")
    truth = expected(histories, PEOPLE)
    assert stored() == truth
    _agree_on_days(histories, truth)
    _agree_on_figures(histories, truth)
    _agree_on_rates(histories, truth)
    _agree_on_stale(histories, truth)
    _add_up(truth)


def _agree_on_days(histories: Sequence[History], truth: dict[int, Expected]) -> None:
    """Compare the open and stale pull requests at the end of each day."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT day::date, number, coalesce(open_days @> day::date, false), coalesce(stale_days @> day::date, false)
            FROM integrations_pullrequestfigures figures
            JOIN integrations_pullrequest pull_request ON pull_request.id = figures.pull_request_id
            CROSS JOIN unnest(%s::date[]) AS day
            """,
            [DAYS],
        )
        in_sql = {(day, number): (is_open, stale) for day, number, is_open, stale in cursor.fetchall()}
    for history in histories:
        for day in DAYS:
            on_day = (open_on(history, day), stale_on(history, day))
            assert in_sql[day, history.number] == on_day, (history.number, day, opened_at(history), astuple(history))


def _agree_on_figures(histories: Sequence[History], truth: dict[int, Expected]) -> None:
    """Each statistic, of each week and the whole window, with how many it is of and how many are left out."""
    queries = [Query(key, SPRING, statistic=statistic) for key in SPREADS for statistic in get(key).statistics]
    for query, answer in zip(queries, read_series(queries), strict=True):
        for figure in (*answer.total, *answer.series):
            merged = [truth[row.number] for row in _merged_in(figure.window, histories, truth)]
            values = [getattr(row, SPREADS[query.key]) for row in merged]
            counted = [Counted("", figure.window.start, None, value) for value in values]
            expected = spread(counted, query.statistic or Statistic.MEDIAN)
            assert figure.value == pytest.approx(expected.value), (query, figure)
            assert (figure.sample_size, figure.left_out) == (expected.sample_size, expected.left_out), (query, figure)


def _agree_on_rates(histories: Sequence[History], truth: dict[int, Expected]) -> None:
    """Numbers and shares of each week and of the whole window; a share of nothing is no data."""
    queries = [Query(key, SPRING) for key in RATES]
    for query, answer in zip(queries, read_series(queries), strict=True):
        for figure in (*answer.total, *answer.series):
            merged = [(row, truth[row.number]) for row in _merged_in(figure.window, histories, truth)]
            assert figure.value == pytest.approx(RATES[query.key](merged)), (query, figure)


def _agree_on_stale(histories: Sequence[History], truth: dict[int, Expected]) -> None:
    """Compare the number of stale pull requests at the end of each week's last day."""
    [answer] = read_series([Query("pr.stale_count", SPRING)])
    for figure in (*answer.total, *answer.series):
        last_day = figure.window.end - timedelta(days=1)
        stale = [
            history
            for history in histories
            if stale_on(history, last_day) and not truth[history.number].exclusion_reason
        ]
        assert figure.value == len(stale), figure


def _merged_in(window: Window, histories: Sequence[History], truth: dict[int, Expected]) -> list[History]:
    """Those that count, by the day of the merge."""
    return [
        history
        for history in histories
        if history.merged_at
        and window.start <= history.merged_at.date() < window.end
        and not truth[history.number].exclusion_reason
    ]


def _percent(holds: Sequence[bool]) -> float | None:
    return 100 * sum(holds) / len(holds) if holds else None


def _comments_per_hundred_lines(merged: Merged) -> float | None:
    """The ratio over pull requests for which both are known."""
    known = [(row.comments, slow.size) for row, slow in merged if row.comments is not None and slow.size]
    return 100 * sum(comments for comments, _ in known) / sum(size for _, size in known) if known else None


Merged = Sequence[tuple[History, Expected]]
RATES: Mapping[str, Callable[[Merged], float | None]] = {
    "pr.throughput": len,
    "pr.unreviewed_rate": lambda merged: _percent([slow.reviews == 0 for _, slow in merged]),
    "pr.self_merged_rate": lambda merged: _percent(
        [slow.self_merged for _, slow in merged if slow.self_merged is not None]
    ),
    "pr.review_depth": _comments_per_hundred_lines,
}


def _add_up(truth: dict[int, Expected]) -> None:
    """Weeks and segments sum to the whole, and the stages of one that has them all to its cycle."""
    splits: list[tuple[Dimension, ...]] = [(), (Dimension.ASSISTANCE,), (Dimension.WORK_TYPE,), (Dimension.SIZE_CLASS,)]
    answers = read_series([Query("pr.throughput", SPRING, Granularity.WEEK, segments=segments) for segments in splits])
    whole = answers[0].total[0].value
    for answer in answers:
        assert sum(figure.value or 0 for figure in answer.series) == whole
        assert sum(figure.value or 0 for figure in answer.total) == whole
    for row in truth.values():
        stages = (row.pickup, row.review, row.merge)
        if None not in stages:
            assert sum(stage or 0 for stage in stages) == row.cycle
