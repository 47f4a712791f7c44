"""Authors and reviewers of a pull request: people, bots, agents, and later decisions of an admin about them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from insights.engine.read import read_series
from insights.query.query import Dimension, Query, Window
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import ReviewState
from integrations.models import FactChange, FactFamily, PullRequestWork
from orgtree.identities.decisions import mark_bots, merge, split, unmark_bots
from orgtree.models import Identity, Person
from tests.delivery.pull_requests.conftest import TellOf, figures
from tests.delivery.pull_requests.histories import Commit, History, Review

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
MARCH = Window(date(2026, 3, 1), date(2026, 4, 1))
APPROVED = ReviewState.APPROVED


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def pull_request(author: str, *reviewers: str, merged_by: str = "", requested_by: str = "") -> History:
    return History(
        1,
        author,
        at(0),
        reviews=[Review(at(1 + hours), name, APPROVED) for hours, name in enumerate(reviewers)],
        merged_at=at(10),
        merged_by=merged_by,
        requested_by=requested_by,
    )


def person(login: str) -> Person:
    owner = Identity.objects.get(kind="login", value=login).person
    assert owner is not None
    return owner


def throughput(dimension: Dimension) -> dict[str, float | None]:
    [answer] = read_series([Query("pr.throughput", MARCH, segments=(dimension,))])
    return {figure.segment[dimension.value]: figure.value for figure in answer.total}


def test_a_review_under_another_login_of_the_author_counts_until_they_are_known_to_be_one(tell_of: TellOf) -> None:
    row = tell_of(pull_request("ada", "ada-work", "ben", merged_by="ada-work"))
    assert (row[1].review_count, row[1].is_self_merged) == (2, False)
    change = merge(person("ada-work"), person("ada"), by=None)
    recompute_waiting_pull_requests()
    assert (figures()[1].review_count, figures()[1].is_self_merged) == (1, True)
    assert figures()[1].first_review_at == at(2)
    assert change is not None
    split(Identity.objects.get(kind="login", value="ada-work"), by=None)
    recompute_waiting_pull_requests()
    assert (figures()[1].review_count, figures()[1].is_self_merged) == (2, False)


def test_whoever_an_admin_calls_a_bot_gives_no_review_and_proposes_nothing(tell_of: TellOf) -> None:
    tell_of(pull_request("ada", "linter", "ben"))
    linter = Identity.objects.filter(kind="login", value="linter")
    mark_bots(linter, by=None)
    recompute_waiting_pull_requests()
    assert (figures()[1].review_count, figures()[1].first_review_at) == (1, at(2))
    mark_bots(Identity.objects.filter(kind="login", value="ada"), by=None)
    recompute_waiting_pull_requests()
    assert figures()[1].exclusion_reason == "bot"
    assert read_series([Query("pr.throughput", MARCH)])[0].total[0].value == 0
    unmark_bots(linter.all(), by=None)
    recompute_waiting_pull_requests()
    assert figures()[1].review_count == 2


def test_days_of_changed_bots_are_in_the_outbox(tell_of: TellOf) -> None:
    tell_of(pull_request("ada", "linter"))
    FactChange.objects.all().delete()
    mark_bots(Identity.objects.filter(kind="login", value="linter"), by=None)
    recompute_waiting_pull_requests()
    changes = FactChange.objects.filter(family=FactFamily.PULL_REQUEST)
    assert changes.filter(day_from__lte=date(2026, 3, 2), day_to__gt=date(2026, 3, 2)).exists()
    assert not PullRequestWork.objects.exists()


def test_an_agents_pull_request_counts_for_its_requester(tell_of: TellOf) -> None:
    row = tell_of(pull_request("copilot-swe-agent[bot]", "ben", requested_by="ada"))
    assert (row[1].exclusion_reason, row[1].agents) == ("", ["copilot"])
    assert row[1].credited == Identity.objects.get(kind="login", value="ada")
    assert throughput(Dimension.ASSISTANCE) == {"AI": 1}


def test_an_agents_pull_request_without_a_requester_is_an_autonomous_agents(tell_of: TellOf) -> None:
    row = tell_of(pull_request("copilot-swe-agent[bot]", "ben"))
    assert (row[1].exclusion_reason, row[1].credited) == ("", None)
    [answer] = read_series([Query("pr.throughput", MARCH)])
    assert (answer.total[0].value, answer.total[0].people, answer.unmatched) == (1, 0, 0)


def test_agents_that_signed_commits_had_a_part(tell_of: TellOf) -> None:
    history = pull_request("ada", "ben")
    history.commits = [Commit(name, at(-1), at(-1), name) for name in ("ada", "claude[bot]", "renovate[bot]")]
    assert tell_of(history)[1].agents == ["claude_code"]


def test_agents_that_messages_name_had_a_part_without_any_clone(tell_of: TellOf) -> None:
    history = pull_request("ada", "ben")
    message = (
        "Sell tea\n\nIt is warm.\n\nCo-Authored-By: Claude <noreply@anthropic.com>\nReviewed-by: Ben <ben@example.com>"
    )
    history.commits = [Commit("tea", at(-1), at(-1), "ada", message=message)]
    assert tell_of(history)[1].agents == ["claude_code"]
    assert throughput(Dimension.AGENT) == {"claude_code": 1}


def test_nobody_reviews_by_name_only(tell_of: TellOf) -> None:
    """A deleted account is somebody else than an author who is known, and nobody can say so where both are gone."""
    known, gone = pull_request("ada", ""), pull_request("", "")
    gone.number = 2
    row = tell_of(known, gone)
    assert [row[number].review_count for number in (1, 2)] == [1, 0]
