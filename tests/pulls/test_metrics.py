"""Each metric of pull requests and reviews, on a month that can be counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from insights.metrics.query import Dimension, Figure, Granularity, MetricQuery, Scope, Statistic, Window
from insights.metrics.read import read_series
from insights.metrics.rows import read_rows
from integrations.connectors.drafts import PipelineRunDraft, Told, WorkItemDraft, WorkItemReference
from integrations.connectors.words import LinkMethod, ReviewState, RunStatus
from integrations.intake.figures_work import settle_what_waits
from tests.intake.conftest import SHOP, Tell
from tests.pulls.conftest import TellOf
from tests.pulls.histories import Commit, History, Review, draft_of, sha_of

MARCH = Window(date(2026, 3, 1), date(2026, 4, 1))
COMMENTED = ReviewState.COMMENTED

# What was merged in March: who wrote it, who looked at it, who merged it, how many lines, and with whose help.
# number, author, reviewers, merged by, added + deleted, comments, agents that committed
MONTH = """
    1  ada  ben,ben  ada    40+10   4  -
    2  ada  -        ada   300+50   0  claude[bot]
    3  ada  ben      ben   600+10   2  claude[bot],copilot-swe-agent[bot]
    4  ben  ada,cy   ben   900+0    ?  -
    5  ben  -        -       ?      1  -
    6  cy   ben      cy      0+0    3  -
    7  renovate[bot]  ada  ada  10+10  1  -
"""


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def month() -> list[History]:
    return [_history(line) for line in MONTH.strip().splitlines()]


def _history(line: str) -> History:
    number, author, reviewers, merger, lines, _comments, agents = line.split()
    day = int(number) + 1
    history = History(int(number), author, at(day, 9), merged_at=at(day, 15))
    history.merged_by = "" if merger == "-" else merger
    if lines != "?":
        history.additions, history.deletions = map(int, lines.split("+"))
    names = [] if reviewers == "-" else reviewers.split(",")
    history.reviews = [Review(at(day, 10 + each), name, COMMENTED) for each, name in enumerate(names)]
    helpers = [] if agents == "-" else agents.split(",")
    history.commits = [Commit(f"{number}{name}", at(day, 8), at(day, 8), name) for name in (*helpers, author)]
    return history


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 4, 10, 12, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def told(tell: Tell) -> None:
    """The month, with the comments of each."""
    for history, line in zip(month(), MONTH.strip().splitlines(), strict=True):
        comments = line.split()[5]
        count = None if comments == "?" else int(comments)
        tell(replace(draft_of(history), comment_count=count, review_comment_count=None))
    settle_what_waits()


def figure(key: str, window: Window = MARCH, statistic: Statistic | None = None) -> Figure:
    [answer] = read_series([MetricQuery(key, window, statistic=statistic)])
    return answer.total[0]


def by(key: str, dimension: Dimension) -> dict[str, float | None]:
    [answer] = read_series([MetricQuery(key, MARCH, segments=(dimension,))])
    return {each.segment[dimension.value]: each.value for each in answer.total}


pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("told")
def test_throughput_counts_all_but_bots() -> None:
    assert figure("pr.throughput").value == 6
    assert by("pr.throughput", Dimension.ASSISTANCE) == {"AI": 2, "Non-AI": 4}
    assert by("pr.throughput", Dimension.SIZE_CLASS) == {"S": 2, "M": 1, "L": 1, "XL": 1, "unknown": 1}


@pytest.mark.usefixtures("told")
def test_one_by_two_agents_counts_for_each_of_them_and_once_in_all() -> None:
    assert by("pr.throughput", Dimension.AGENT) == {"claude_code": 2, "copilot": 1, "Non-AI": 4}
    assert figure("pr.throughput").value == 6


@pytest.mark.usefixtures("told")
def test_size_is_of_those_whose_size_is_known() -> None:
    size = figure("pr.size")
    # 0, 50, 350, 610, 900
    assert (size.value, size.sample_size, size.left_out) == (350, 5, 1)
    assert figure("pr.size", statistic=Statistic.MEAN).value == (50 + 350 + 610 + 900) / 5


@pytest.mark.usefixtures("told")
def test_unreviewed_and_self_merged() -> None:
    unreviewed = figure("pr.unreviewed_rate")
    assert (unreviewed.numerator, unreviewed.denominator) == (2, 6)
    assert unreviewed.value == pytest.approx(100 * 2 / 6)
    self_merged = figure("pr.self_merged_rate")  # nobody knows who merged number 5
    assert (self_merged.numerator, self_merged.denominator, self_merged.value) == (4, 5, 80)


@pytest.mark.usefixtures("told")
def test_review_depth_is_comments_per_hundred_lines() -> None:
    depth = figure("pr.review_depth")  # 4, 0 and 2 comments over 50, 350 and 610 lines
    assert depth.numerator == 6
    assert depth.denominator == pytest.approx(10.1)
    assert depth.value == pytest.approx(6 / 10.1)


@pytest.mark.usefixtures("told")
def test_reviews_count_for_who_gave_them_and_not_on_what_bots_propose() -> None:
    """ben gave 4 (two of them on one), ada 1, cy 1; all three were active in one month."""
    given = figure("review.given_per_developer")
    assert (given.numerator, given.people) == (6, 3)
    [answer] = read_series([MetricQuery("review.given_per_developer", MARCH, Granularity.MONTH)])
    assert answer.total[0].value == 2
    # Ranked 1, 1, 4: (1 × −2 + 1 × 0 + 4 × 2) ÷ (3 × 6)
    concentration = figure("review.load_concentration")
    assert concentration.value == pytest.approx(100 / 3)
    assert (concentration.sample_size, concentration.people) == (6, 3)
    rows = read_rows(MetricQuery("review.load_concentration", MARCH)).rows
    assert sorted(row["contribution"] for row in rows) == [1, 1, 4]


@pytest.mark.usefixtures("told")
def test_reviews_are_split_by_the_agents_of_what_is_reviewed() -> None:
    # ben twice on the first, ada and cy on the fourth, ben on the sixth; ben on the third, which two agents wrote
    [answer] = read_series([MetricQuery("review.given_per_developer", MARCH, segments=(Dimension.AGENT,))])
    assert {each.segment["agent"]: each.numerator for each in answer.total} == {
        "Non-AI": 5,
        "claude_code": 1,
        "copilot": 1,
    }
    assert {each.denominator for each in answer.total} == {figure("review.given_per_developer").denominator}


@pytest.mark.usefixtures("told")
def test_rows_open_as_in_their_own_tool_and_give_the_figure() -> None:
    rows = read_rows(MetricQuery("pr.cycle_time", MARCH)).rows
    assert {row["reference"] for row in rows} == {f"acme/shop#{number}" for number in range(1, 7)}
    assert {row["contribution"] for row in rows} == {6 * 3600}
    assert all(str(row["url"]).startswith("https://github.example/acme/shop/pull/") for row in rows)
    assert all(row["person_id"] for row in rows)


@pytest.mark.usefixtures("told")
def test_figures_of_nothing_are_no_data_and_counts_are_zero() -> None:
    later = Window(date(2026, 4, 1), date(2026, 4, 8))
    assert figure("pr.throughput", later).value == 0
    for key in ("pr.cycle_time", "pr.size", "pr.unreviewed_rate", "pr.review_depth", "review.load_concentration"):
        assert (figure(key, later).value, bool(figure(key, later).reason)) == (None, True)
    before = Window(date(2025, 3, 1), date(2025, 4, 1))
    assert figure("pr.throughput", before).value is None


@pytest.mark.usefixtures("told")
def test_an_unknown_unit_is_refused_and_everybody_is_unassigned_without_a_tree() -> None:
    [answer] = read_series([MetricQuery("pr.throughput", MARCH, scope=Scope(where={}))])
    assert answer.unmatched == 0


def test_a_pull_request_counts_as_linked_once_its_item_is_known(tell: Tell) -> None:
    history = month()[0]
    references = Told((WorkItemReference(key="SHOP-1", method=LinkMethod.BRANCH),))
    tell(replace(draft_of(history), references=references))
    assert figure("pr.linked_rate").value == 0
    tell(WorkItemDraft(external_id="10", project=SHOP, key="SHOP-1", created_at=at(1)))
    assert figure("pr.linked_rate").value == 100
    tell(WorkItemDraft(external_id="10", project=SHOP, key="SHOP-1", deleted=True))
    assert figure("pr.linked_rate").value == 0


def test_waiting_for_pipelines_counts_each_moment_once(tell: Tell) -> None:
    """Two runs that overlap, one for another commit, and one that goes on after the merge."""
    history = month()[0]  # open from 9 to 15
    commit = sha_of(history.commits[0].name)
    tell(draft_of(history))
    assert figure("ci.wait_per_pull_request").left_out == 1

    def run(id_: str, queued: float, finished: float, sha: str = commit) -> PipelineRunDraft:
        start = at(2, 0)
        return PipelineRunDraft(
            external_id=id_,
            repository=SHOP,
            run=id_,
            name="test",
            status=RunStatus.SUCCESS,
            sha=sha,
            queued_at=start + timedelta(hours=queued),
            started_at=start + timedelta(hours=queued),
            finished_at=start + timedelta(hours=finished),
        )

    tell(run("1", 8, 10), run("2", 9.5, 11), run("3", 14, 17), run("4", 12, 13, sha_of("other")))
    assert figure("ci.wait_per_pull_request").value == (2 + 1) * 3600  # 9–11 and 14–15
    tell(replace(run("3", 14, 17), deleted=True))
    assert figure("ci.wait_per_pull_request").value == 2 * 3600


def test_what_nothing_happened_to_for_two_weeks_is_stale_until_somebody_looks(tell_of: TellOf) -> None:
    quiet = History(1, "ada", at(1))
    looked_at = History(2, "ada", at(1), reviews=[Review(at(20), "ben", COMMENTED)])
    pushed = History(3, "ada", at(1), commits=[Commit("tea", at(12), at(12), "claude[bot]")])
    young, by_a_bot = History(4, "ada", at(28)), History(5, "renovate[bot]", at(1))
    merged = History(6, "ada", at(1), merged_at=at(27))
    tell_of(quiet, looked_at, pushed, young, by_a_bot, merged)
    assert by("pr.stale_count", Dimension.AGENT) == {"Non-AI": 1, "claude_code": 1}
    [answer] = read_series([MetricQuery("pr.stale_count", MARCH, Granularity.WEEK)])
    counted = {each.window.end: each.value for each in answer.series}
    assert counted[date(2026, 3, 9)] == 0
    assert counted[date(2026, 3, 16)] == 3  # quiet, looked at later, and merged later
    assert counted[date(2026, 3, 23)] == 2  # quiet, and merged later
    assert answer.total[0].value == 2  # quiet, and pushed to 19 days before
