"""Whatever the provider does, the tables end as if it had not, and what stops a stream is said in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from integrations.models import Connection, Quota, Stream, SyncRun
from integrations.sync.enqueue import enqueue_sync
from integrations.sync.resources import discover_resources
from integrations.sync.slices import run_next_slice
from integrations.sync.tasks import discover
from tests.sync import faults
from tests.sync.conftest import QUICK, stream_of
from tests.sync.faults import after, always, every, refused, times
from tests.sync.provider import TOKEN, Fault, Provider, Reply, SeenRequest
from tests.sync.readings import last_run, let_time_pass, read_everything, read_through, titles


def redirected(_: Provider) -> Fault:
    """The first request for page 2 of the old address leads to the same list by another way."""
    return times(1, Reply(301, b"", {"Location": "/repos/1000/pulls?page=2"}), to="1000/pulls", page=2)


def repeated(provider: Provider) -> Fault:
    """Page 3 is answered with the records of page 2, and the rest follows afterwards."""
    done: list[int] = []

    def fault(request: SeenRequest) -> Reply | None:
        if not request.path.endswith("1000/pulls") or request.page != 3 or done:
            return None
        done.append(request.page)
        again = provider.list_page(request.path, 2, {})
        return Reply.of({**(again or {}), "next": 3})

    return fault


def changing(provider: Provider) -> Fault:
    """Before page 2 one of page 3 is changed, and so moves to the front."""
    done: list[int] = []

    def fault(request: SeenRequest) -> Reply | None:
        if request.path.endswith("1000/pulls") and request.page == 2 and not done:
            done.append(5)
            provider.change(provider.repositories["1000"], 5, "Changed meanwhile")
        return None

    return fault


FAULTS: dict[str, Callable[[Provider], Fault]] = {
    "429 with Retry-After": lambda _: times(2, refused(429, Retry_After="30")),
    "429 with a short Retry-After": lambda _: times(2, refused(429, Retry_After="0")),
    "429 without Retry-After": lambda _: times(1, refused(429)),
    "a secondary limit": lambda _: times(2, refused(403, "You have exceeded a secondary rate limit.")),
    "an exhausted budget": lambda _: times(1, refused(403, x_ratelimit_remaining="0", x_ratelimit_limit="60")),
    "401 in the middle": lambda _: times(1, refused(401, "Bad credentials"), page=2),
    "a burst of 502": lambda _: times(2, refused(502)),
    "a long burst of 500": lambda _: times(7, refused(500)),
    "now and then a 503": lambda _: every(3, refused(503)),
    "an answer that is cut off": lambda _: times(2, faults.CUT),
    "JSON that is not whole": lambda _: times(5, faults.NOT_WHOLE),
    "a web page": lambda _: times(5, faults.HTML),
    "no body": lambda _: times(1, Reply(504, b"")),
    "a redirect within the host": redirected,
    "a page repeated": repeated,
    "records that change while paging": changing,
}


def expected(provider: Provider) -> dict[str, str]:
    return {
        pull["id"]: pull["title"]
        for repository in provider.repositories.values()
        for pull in repository.pull_requests.values()
    }


@pytest.fixture
def two_repositories(provider: Provider, connection: Connection) -> Connection:
    provider.repository("acme/shop", pull_requests=70)
    provider.repository("acme/site", pull_requests=30)
    discover_resources(connection)
    return connection


@pytest.mark.parametrize("fault", FAULTS)
def test_the_tables_are_those_without_the_fault(two_repositories: Connection, provider: Provider, fault: str) -> None:
    connection = two_repositories
    provider.answers(FAULTS[fault](provider))
    read_through(connection)
    let_time_pass(connection)
    read_through(connection)
    while run_next_slice() is not None:
        pass
    assert titles(connection) == expected(provider)
    assert not Stream.objects.exclude(problem="").exists()
    again = read_everything(connection)
    assert {(run.added, run.changed, run.removed, run.quarantined) for run in again} == {(0, 0, 0, 0)}


def test_a_rate_limit_is_no_failure(two_repositories: Connection, provider: Provider) -> None:
    provider.answers(times(1, refused(429, Retry_After="300"), page=2))
    while run_next_slice() is not None:
        pass
    stream = stream_of(two_repositories, "acme/shop")
    assert stream.due_at is not None
    assert timedelta(seconds=290) < stream.due_at - timezone.now() <= timedelta(seconds=300)
    assert (stream.failures, stream.cursor["page"]) == (0, 2)
    run = SyncRun.objects.get(stream=stream)
    assert (run.state, run.read) == (SyncRun.State.WAITING, 20)
    assert "asked to wait" in run.problem
    # The other stream of the connection did not ask either: the budget is theirs in common.
    assert stream_of(two_repositories, "acme/site").due_at == stream.due_at
    assert len(provider.requests_for("/pulls")) == 2

    let_time_pass(two_repositories)
    read_through(two_repositories)
    run.refresh_from_db()
    assert (run.state, run.read, run.problem) == (SyncRun.State.DONE, 70, "")


def test_a_refused_token_holds_the_connection_back_and_a_new_one_goes_on(
    two_repositories: Connection, provider: Provider
) -> None:
    connection = two_repositories
    provider.answers(after(2, always(refused(401, f"Bad credentials {TOKEN}"))))
    while run_next_slice() is not None:
        pass
    connection.refresh_from_db()
    assert connection.problem == "Example refused the token (“Bad credentials …”)."
    assert "Enter a new one" in connection.remedy
    assert all(stream.problem == connection.problem for stream in Stream.objects.all())
    assert {stream.cause for stream in Stream.objects.all()} == {"refused"}
    requests_before = len(provider.seen)
    assert run_next_slice() is None
    assert len(provider.seen) == requests_before

    provider.answers()
    enqueue_sync(connection)
    discover()
    while run_next_slice() is not None:
        pass
    connection.refresh_from_db()
    assert connection.problem == ""
    assert titles(connection) == expected(provider)
    pages = [request.page for request in provider.requests_for("1000/pulls")]
    assert pages == [
        1,
        2,
        2,
        3,
        4,
        1,
    ]  # goes on at the page that failed; the last is for what changed until it was asked


@pytest.mark.parametrize(
    ("status", "problem", "remedy"),
    [
        (403, "Example does not let this token read /repos/1000/pulls", "Grant the missing permission"),
        (404, "Example does not show /repos/1000/pulls", "Grant access to it, or take it off"),
        (410, "Example does not show /repos/1000/pulls", "It was deleted or moved"),
        (422, "Example did not accept the request for /repos/1000/pulls: status 422", "Check the base URL"),
    ],
)
def test_what_one_resource_lacks_does_not_stop_the_others(
    two_repositories: Connection, provider: Provider, status: int, problem: str, remedy: str
) -> None:
    provider.answers(always(refused(status, "No"), to="1000/pulls"))
    while run_next_slice() is not None:
        pass
    shop, site = stream_of(two_repositories, "acme/shop"), stream_of(two_repositories, "acme/site")
    assert shop.problem.startswith(problem)
    assert remedy in shop.remedy
    assert (shop.failures, site.failures, site.problem) == (1, 0, "")
    assert site.succeeded_at is not None
    assert SyncRun.objects.get(stream=shop).state == SyncRun.State.FAILED
    assert shop.due_at is not None
    assert shop.due_at > timezone.now() + timedelta(minutes=10)


def test_failures_in_a_row_are_tried_more_and_more_rarely(two_repositories: Connection, provider: Provider) -> None:
    provider.answers(always(refused(500), to="1000/pulls"))
    waits = []
    for _ in range(4):
        while run_next_slice() is not None:
            pass
        stream = stream_of(two_repositories, "acme/shop")
        failed_at = SyncRun.objects.filter(stream=stream).latest("pk").finished_at
        assert stream.due_at is not None
        assert failed_at is not None
        waits.append((stream.due_at - failed_at).total_seconds())
        Stream.objects.filter(pk=stream.pk).update(due_at=timezone.now())
    assert 60 <= waits[0] <= 75
    assert all(later > 1.5 * sooner for sooner, later in pairwise(waits))
    assert stream.problem == "Example answered 500, an error of its own, when asked for /repos/1000/pulls."


def test_a_provider_that_allows_a_retry_at_once_and_refuses_it_is_left_alone(
    two_repositories: Connection, provider: Provider
) -> None:
    provider.answers(always(refused(429, Retry_After="0"), to="1000/pulls"))
    while run_next_slice() is not None:
        pass
    stream = stream_of(two_repositories, "acme/shop")
    assert stream.failures == 1
    assert len(provider.requests_for("1000/pulls")) == QUICK.tries


def test_an_outage_that_names_its_end_is_waited_for(two_repositories: Connection, provider: Provider) -> None:
    provider.answers(always(refused(503, Retry_After="120"), to="1000/pulls"))
    while run_next_slice() is not None:
        pass
    stream = stream_of(two_repositories, "acme/shop")
    assert stream.due_at is not None
    assert timedelta(seconds=100) < stream.due_at - timezone.now() <= timedelta(seconds=120)
    assert len(provider.requests_for("1000/pulls")) == 1
    assert stream_of(two_repositories, "acme/site").succeeded_at is not None


def test_a_provider_that_says_nothing_is_given_up(two_repositories: Connection, provider: Provider) -> None:
    reply, end = faults.silence()
    provider.answers(times(1, reply))
    read_through(two_repositories)
    end()
    assert titles(two_repositories) == expected(provider)


def test_credentials_do_not_follow_to_another_host(two_repositories: Connection, provider: Provider) -> None:
    elsewhere = Reply(302, b"", {"Location": "http://elsewhere.example.com/repos/1000/pulls"})
    provider.answers(always(elsewhere, to="1000/pulls"))
    while run_next_slice() is not None:
        pass
    stream = stream_of(two_repositories, "acme/shop")
    assert stream.problem == (
        "Example leads to another host, http://elsewhere.example.com, where the credentials are not sent."
    )


def test_a_budget_is_not_used_up_and_what_is_left_is_for_people(
    two_repositories: Connection, provider: Provider
) -> None:
    reset = str(int((timezone.now() + timedelta(minutes=20)).timestamp()))
    provider.headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "10", "X-RateLimit-Reset": reset}
    while run_next_slice() is not None:
        pass
    assert len(provider.requests_for("/pulls")) == 1
    quota = Quota.objects.get()
    assert (quota.budget, quota.limit, quota.remaining) == ("requests", 100, 10)
    run = last_run(two_repositories)
    assert run.state == SyncRun.State.WAITING
    assert "90 of the 100 requests that are granted are used up" in run.problem
