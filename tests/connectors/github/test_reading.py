"""Streams are read in pages, go on from any of them, and afterwards find what changed, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from demo.plan.delivery import Commit, DeliveryEvent, DeliveryHistory, EventKind
from demo.providers.faults import Fault, changed, meanwhile, not_found
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.connectors.drafts import MISSING, DeploymentDraft, PipelineRunDraft, ProvidedParts, PullRequestDraft
from integrations.enums import Kind, RunStatus
from tests.connectors.github.histories import (
    MINUTE,
    pull_request,
    with_deployments,
    with_issues,
    with_pull_requests,
    with_runs,
)
from tests.connectors.github.reading import TOKEN, Reading, read
from tests.demo.small_history import BEGIN, DAY, HOUR, MAX, commit, small_history

Serve = Callable[..., GitHubServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as servers:
        yield lambda history, **options: servers.enter_context(
            GitHubServer(history, tokens=[Token(TOKEN, "ada")], **options)
        )


def numbers(reading: Reading) -> list[int]:
    return [draft.number for draft in reading.drafts if isinstance(draft, PullRequestDraft)]


def paths(github: GitHubServer) -> list[str]:
    return [request.path for request in github.requests]


# Lists by last change ----------------------------------------------------------------------------------------------


def test_everything_is_read_newest_first(serve: Serve) -> None:
    reading = read(serve(with_pull_requests(130)), Kind.PULL_REQUEST)
    assert numbers(reading) == list(range(130, 0, -1))
    assert [page.left for page in reading.pages][:2] == [175, 150]  # of an estimate in whole pages
    assert reading.pages[-1].complete
    assert not any(page.complete for page in reading.pages[:-1])
    assert reading.requests == 2 + 4 + 2  # two pages of the list, and batches of 25


def test_reading_goes_on_from_any_page(serve: Serve) -> None:
    github = serve(with_pull_requests(130))
    whole = len(read(github, Kind.PULL_REQUEST).pages)
    for stop in range(1, whole):
        first_part = read(github, Kind.PULL_REQUEST, pages=stop)
        rest = read(github, Kind.PULL_REQUEST, first_part.cursor)
        assert set(numbers(first_part)) | set(numbers(rest)) == set(range(1, 131))
        assert len(numbers(first_part)) + len(numbers(rest)) <= 131 + 1
        assert rest.pages[-1].complete
        assert read(github, Kind.PULL_REQUEST, rest.cursor).drafts == []


def test_only_what_changed_is_read_again(serve: Serve) -> None:
    history = small_history()
    github = serve(history, at=BEGIN + 5 * DAY)
    first = read(github, Kind.PULL_REQUEST)
    github.advance(history.ends_at)
    second = read(github, Kind.PULL_REQUEST, first.cursor)
    assert set(numbers(second)) == {4, 5, 6}
    assert second.requests == 2
    assert not second.pages[-1].complete


def test_what_comes_in_and_what_changes_between_pages_is_not_lost(serve: Serve) -> None:
    before = with_pull_requests(230)
    retitled = DeliveryEvent(9, EventKind.RETITLED, BEGIN + DAY, MAX, text="Another title")
    after = replace(
        before,
        pull_requests=(
            replace(before.pull_requests[0], happenings=(retitled,)),
            *before.pull_requests[1:],
            pull_request(231),
        ),
    )
    github = serve(before)
    github.faults = [Fault(meanwhile(lambda: github.show(after)), path="/pulls.*page=2")]
    first = read(github, Kind.PULL_REQUEST)
    second = read(github, Kind.PULL_REQUEST, first.cursor)
    assert set(numbers(first)) == set(range(2, 231))
    assert set(numbers(second)) == {1, 231}


def test_what_changed_within_the_last_seconds_may_change_again_within_its_second(serve: Serve) -> None:
    just_now = datetime.now(UTC).replace(microsecond=0)
    history = with_pull_requests(3, begin=just_now - 3 * MINUTE)
    github = serve(replace(history, ends_at=just_now))
    first = read(github, Kind.PULL_REQUEST, now=just_now)
    assert numbers(read(github, Kind.PULL_REQUEST, first.cursor, now=just_now)) == [3]


@pytest.mark.parametrize("use_graphql", ["true", "false"])
def test_pull_requests_among_issues_are_left_out(serve: Serve, use_graphql: str) -> None:
    reading = read(serve(with_issues(120)), Kind.WORK_ITEM, use_graphql=use_graphql)
    assert reading.ids == [str(20_000 + number) for number in range(120, 0, -1)]
    assert reading.pages[-1].complete


def test_issues_that_changed_are_requested_by_time(serve: Serve) -> None:
    history = small_history()
    github = serve(history, at=BEGIN + 3.5 * DAY)
    first = read(github, Kind.WORK_ITEM)
    github.advance(history.ends_at)
    second = read(github, Kind.WORK_ITEM, first.cursor)
    assert second.ids == ["2007"]
    assert any("since=2026-03-05" in path for path in paths(github))


def test_a_record_that_makes_no_sense_does_not_stop_the_others(serve: Serve) -> None:
    github = serve(small_history(), faults=[Fault(changed("1", None), path="/pulls")])
    reading = read(github, Kind.PULL_REQUEST)
    assert len(reading.drafts) == 4
    assert [problem.path for problem in reading.refused] == ["pull_request.id"]


def test_a_pull_request_that_goes_while_it_is_read_comes_without_its_parts(serve: Serve) -> None:
    github = serve(small_history(), faults=[Fault(not_found(), path=r"/pulls/3\?", times=None)])
    reading = read(github, Kind.PULL_REQUEST, use_graphql="false")
    assert sorted(numbers(reading)) == [2, 3, 4, 5, 6]
    (gone,) = (draft for draft in reading.drafts if isinstance(draft, PullRequestDraft) and draft.number == 3)
    assert gone.commits is MISSING


# Lists by creation -------------------------------------------------------------------------------------------------


def test_more_than_a_thousand_runs_are_read_by_time(serve: Serve) -> None:
    times = [BEGIN + number * MINUTE for number in range(1150)]
    reading = read(serve(with_runs(times)), Kind.PIPELINE_RUN, now=BEGIN + 300 * DAY)
    assert len(set(reading.ids)) == 1150
    assert reading.pages[0].left == 1150 - 25
    assert reading.requests < 30  # none for jobs: it is long ago
    assert not reading.pages[-1].complete  # a run that was deleted happened all the same


def test_many_runs_of_one_second_are_read_page_by_page(serve: Serve) -> None:
    reading = read(serve(with_runs([BEGIN] * 120 + [BEGIN - DAY] * 5)), Kind.PIPELINE_RUN, now=BEGIN + 300 * DAY)
    assert len(set(reading.ids)) == 125


def test_a_run_is_read_again_until_it_has_finished(serve: Serve) -> None:
    times = [BEGIN + number * MINUTE for number in range(120)]
    github = serve(with_runs(times, minutes=130), at=BEGIN + 2 * HOUR)
    first = read(github, Kind.PIPELINE_RUN, now=BEGIN + 2 * HOUR)
    assert {draft.status for draft in first.drafts if isinstance(draft, PipelineRunDraft)} == {RunStatus.RUNNING}
    github.advance(BEGIN + 5 * HOUR)
    second = read(github, Kind.PIPELINE_RUN, first.cursor, now=BEGIN + 5 * HOUR)
    assert len(set(second.ids)) == 120
    assert {draft.status for draft in second.drafts if isinstance(draft, PipelineRunDraft)} == {RunStatus.SUCCESS}
    assert read(github, Kind.PIPELINE_RUN, second.cursor, now=BEGIN + 5 * HOUR).requests == 1


def test_a_run_that_waits_for_days_is_requested_alone(serve: Serve) -> None:
    waiting = with_runs([BEGIN], minutes=3 * DAY / MINUTE).runs
    others = with_runs([BEGIN + HOUR + number * MINUTE for number in range(60)]).runs
    others = tuple(replace(run, id=run.id + 500) for run in others)
    github = serve(replace(small_history(), runs=waiting + others), at=BEGIN + 2 * DAY)
    first = read(github, Kind.PIPELINE_RUN, now=BEGIN + 2 * DAY)
    assert first.cursor["open"]
    github.advance(BEGIN + 4 * DAY)
    second = read(github, Kind.PIPELINE_RUN, first.cursor, now=BEGIN + 4 * DAY)
    assert second.ids == ["30000/1"]
    assert second.requests == 3  # the list, the run, and its jobs
    assert second.cursor["open"] == []


def test_earlier_attempts_are_read_with_the_latest(github: GitHubServer) -> None:
    reading = read(github, Kind.PIPELINE_RUN)
    outcomes = {draft.external_id: draft.status for draft in reading.drafts if isinstance(draft, PipelineRunDraft)}
    assert outcomes == {
        "3001/1": RunStatus.FAILURE,
        "3001/2": RunStatus.SUCCESS,
        "3002/1": RunStatus.SUCCESS,
    }


@pytest.mark.parametrize("use_graphql", ["true", "false"])
def test_a_deployment_is_read_again_when_a_status_changed_it(serve: Serve, use_graphql: str) -> None:
    github = serve(with_deployments([BEGIN, BEGIN + 10 * MINUTE]), at=BEGIN + 30 * MINUTE)
    now = BEGIN + 30 * MINUTE
    first = read(github, Kind.DEPLOYMENT, now=now, use_graphql=use_graphql)
    assert {
        max(draft.statuses.parts, key=lambda status: status.at).status
        for draft in first.drafts
        if isinstance(draft, DeploymentDraft) and isinstance(draft.statuses, ProvidedParts)
    } == {RunStatus.RUNNING}
    github.advance(BEGIN + 65 * MINUTE)
    second = read(github, Kind.DEPLOYMENT, first.cursor, now=BEGIN + 65 * MINUTE, use_graphql=use_graphql)
    assert second.ids == ["40000"]
    assert second.requests == 2


# Commits -------------------------------------------------------------------------------------------------------------


def with_commits(*commits: Commit) -> DeliveryHistory:
    return replace(small_history(), commits={"shop": tuple(commits)})


def chain(count: int, begin: datetime = BEGIN) -> tuple[Commit, ...]:
    """Each the child of the one before."""
    made: list[Commit] = []
    for number in range(count):
        parents = (made[-1].sha,) if made else ()
        made.append(replace(commit(f"Step {number}", begin + number * MINUTE), parents=parents))
    return tuple(made)


def test_commits_are_read_from_the_head_and_later_what_came_to_it(serve: Serve) -> None:
    steps = chain(250)
    github = serve(with_commits(*steps[:230]))
    first = read(github, Kind.COMMIT)
    assert first.ids == [step.sha for step in reversed(steps[:230])]
    assert first.requests == 1 + 3
    github.show(with_commits(*steps))
    second = read(github, Kind.COMMIT, first.cursor)
    assert set(second.ids) == {step.sha for step in steps[230:]}
    assert second.requests == 2
    assert read(github, Kind.COMMIT, second.cursor).requests == 1


def test_commits_pushed_between_pages_wait_for_the_next_reading(serve: Serve) -> None:
    steps = chain(160)
    github = serve(with_commits(*steps[:150]))
    github.faults = [Fault(meanwhile(lambda: github.show(with_commits(*steps))), path="/commits.*page=2")]
    first = read(github, Kind.COMMIT)
    assert set(first.ids) == {step.sha for step in steps[:150]}
    assert set(read(github, Kind.COMMIT, first.cursor).ids) == {step.sha for step in steps[150:]}


def test_a_rewritten_branch_is_read_from_its_beginning(serve: Serve) -> None:
    github = serve(with_commits(*chain(3)))
    first = read(github, Kind.COMMIT)
    others = chain(4, BEGIN + timedelta(seconds=7))
    github.show(with_commits(*others))
    github.faults = [Fault(not_found(), path="/compare/", times=None)]
    second = read(github, Kind.COMMIT, first.cursor)
    assert second.ids == [step.sha for step in reversed(others)]


# Names that change -----------------------------------------------------------------------------------------------


def test_a_renamed_repository_is_read_on_under_its_id(serve: Serve) -> None:
    github = serve(small_history())
    first = read(github, Kind.PULL_REQUEST)
    github.rename_repository("shop", "shop-front")
    second = read(github, Kind.PULL_REQUEST, {}, owners="acme")
    assert [draft.external_id for draft in second.drafts] == [draft.external_id for draft in first.drafts]
    assert all(request.status == 200 for request in github.requests)
