"""Properties of figures of pull requests and reviews besides their values, which tests/worked covers: a month of
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from insights.engine.contributions import read_rows
from insights.engine.read import read_series
from insights.query.query import Dimension, Granularity, MetricValue, Query, Scope, Window
from integrations.connectors.drafts import PipelineRunDraft, ProvidedParts, WorkItemDraft, WorkItemReference
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import LinkMethod, ReviewState, RunStatus
from tests.delivery.pull_requests.histories import Commit, History, Review, draft_of, sha_of
from tests.intake.conftest import SHOP, Tell

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
    history.reviews = [Review(at(day, 10 + hours), name, COMMENTED) for hours, name in enumerate(names)]
    helpers = [] if agents == "-" else agents.split(",")
    history.commits = [Commit(f"{number}{name}", at(day, 8), at(day, 8), name) for name in (*helpers, author)]
    return history


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 4, 10, 12, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def month_stored(tell: Tell) -> None:
    """The month, with the comments of each."""
    for history, line in zip(month(), MONTH.strip().splitlines(), strict=True):
        comments = line.split()[5]
        count = None if comments == "?" else int(comments)
        tell(replace(draft_of(history), comment_count=count, review_comment_count=None))
    recompute_waiting_pull_requests()


def figure(key: str, window: Window = MARCH) -> MetricValue:
    [answer] = read_series([Query(key, window)])
    return answer.total[0]


pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("month_stored")
def test_reviews_count_for_who_gave_them_and_not_on_what_bots_propose() -> None:
    """ben gave 4 (two of them on one), ada 1, cy 1; all three were active in one month."""
    given = figure("review.given_per_developer")
    assert (given.numerator, given.people) == (6, 3)
    [answer] = read_series([Query("review.given_per_developer", MARCH, Granularity.MONTH)])
    assert answer.total[0].value == 2
    # Ranked 1, 1, 4: (1 × −2 + 1 × 0 + 4 × 2) ÷ (3 × 6)
    concentration = figure("review.load_concentration")
    assert concentration.value == pytest.approx(100 / 3)
    assert (concentration.sample_size, concentration.people) == (6, 3)
    rows = read_rows(Query("review.load_concentration", MARCH)).rows
    assert sorted(row["contribution"] for row in rows) == [1, 1, 4]


@pytest.mark.usefixtures("month_stored")
def test_reviews_are_split_by_the_agents_of_what_is_reviewed() -> None:
    # ben twice on the first, ada and cy on the fourth, ben on the sixth; ben on the third, which two agents wrote
    [answer] = read_series([Query("review.given_per_developer", MARCH, segments=(Dimension.AGENT,))])
    assert {entry.segment["agent"]: entry.numerator for entry in answer.total} == {
        "Non-AI": 5,
        "claude_code": 1,
        "copilot": 1,
    }
    assert {entry.denominator for entry in answer.total} == {figure("review.given_per_developer").denominator}


@pytest.mark.usefixtures("month_stored")
def test_rows_open_as_in_their_own_tool_and_give_the_figure() -> None:
    rows = read_rows(Query("pr.cycle_time", MARCH)).rows
    assert {row["reference"] for row in rows} == {f"acme/shop#{number}" for number in range(1, 7)}
    assert {row["contribution"] for row in rows} == {6 * 3600}
    assert all(str(row["url"]).startswith("https://github.example/acme/shop/pull/") for row in rows)
    assert all(row["person_id"] for row in rows)


@pytest.mark.usefixtures("month_stored")
def test_figures_of_nothing_are_no_data_and_counts_are_zero() -> None:
    later = Window(date(2026, 4, 1), date(2026, 4, 8))
    assert figure("pr.throughput", later).value == 0
    for key in ("pr.cycle_time", "pr.size", "pr.unreviewed_rate", "pr.review_depth", "review.load_concentration"):
        assert (figure(key, later).value, bool(figure(key, later).reason)) == (None, True)
    before = Window(date(2025, 3, 1), date(2025, 4, 1))
    assert figure("pr.throughput", before).value is None


@pytest.mark.usefixtures("month_stored")
def test_an_unknown_unit_is_refused_and_everybody_is_unassigned_without_a_tree() -> None:
    [answer] = read_series([Query("pr.throughput", MARCH, scope=Scope(where={}))])
    assert answer.unmatched == 0


def test_a_pull_request_counts_as_linked_once_its_item_is_known(tell: Tell) -> None:
    history = month()[0]
    references = ProvidedParts((WorkItemReference(key="SHOP-1", method=LinkMethod.BRANCH),))
    tell(replace(draft_of(history), references=references))
    assert figure("pr.linked_rate").value == 0
    tell(WorkItemDraft(external_id="10", project=SHOP, key="SHOP-1", created_at=at(1)))
    assert figure("pr.linked_rate").value == 100
    tell(WorkItemDraft(external_id="10", project=SHOP, key="SHOP-1", deleted=True))
    assert figure("pr.linked_rate").value == 0


def test_waiting_for_pipelines_counts_every_moment_once(tell: Tell) -> None:
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
