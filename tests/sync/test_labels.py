"""Labels on pull requests that break a working agreement, at the simulated GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from demo.plan.delivery import DeliveryEvent, DeliveryHistory, EventKind
from demo.providers.faults import Fault, bad_gateway
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.delivery.agreements.agree import agree
from integrations.delivery.agreements.apply import apply_agreements
from integrations.delivery.ownership.find import find_unit
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import PullRequestState
from integrations.intake.forget_connection import forget_records
from integrations.models import Connection, PullRequest, PullRequestMark
from integrations.sync.label_pull_requests import NO_ITEM, TOO_LARGE, UNREVIEWED, mark_pull_requests
from tests.demo.small_history import ADA, BEGIN, DAY, sha, small_history
from tests.org import Org

pytestmark = pytest.mark.django_db
SECRET = "github_pat_of_the_labels"
KNOWN, NUMBER, LINES = 3, 8, 12


def history() -> DeliveryHistory:
    """With #8: open, of 12 lines, without a review or a work item."""
    small = small_history()
    known = next(record for record in small.pull_requests if record.number == KNOWN)
    unreviewed = replace(known, id=1008, number=NUMBER, source_branch="crates", labels=("bug",), happenings=())
    return replace(small, pull_requests=(*small.pull_requests, unreviewed))


def ended(kind: EventKind) -> DeliveryHistory:
    """The history in which #8 was merged or closed in the end."""
    ending = DeliveryEvent(99_001, kind, BEGIN + 29 * DAY, ADA, sha=sha("Merge #8") if kind is EventKind.MERGED else "")
    return replace(
        history(),
        pull_requests=tuple(
            replace(record, happenings=(*record.happenings, ending)) if record.number == NUMBER else record
            for record in history().pull_requests
        ),
    )


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer(history(), tokens=[Token(SECRET, "ada")]) as server:
        yield server


def connect(github: GitHubServer, org: Org, **settings: str) -> None:
    words = {"base_url": github.url, "token": SECRET, **settings}
    sets = [part for name, value in words.items() for part in ("--set", f"{name}={value}")]
    call_command("connect", "github", "--name", "GitHub", *sets, stdout=StringIO())
    call_command("sync", "--wait", stdout=StringIO())
    org.tree("Company")
    org.unit("Cart", below="company")
    org.own("acme/shop", "cart")


def agreed(**terms: Any) -> None:
    agree(find_unit("cart"), terms)
    apply_agreements()
    recompute_waiting_pull_requests()
    try_again()


def labels(github: GitHubServer) -> set[str]:
    return set(github.shown.pull_requests["shop"][NUMBER].labels)


def mark() -> PullRequestMark:
    return PullRequestMark.objects.get(pull_request__number=NUMBER)


def try_again() -> None:
    PullRequestMark.objects.update(next_try_at=timezone.now() - timedelta(minutes=1))
    mark_pull_requests()


def writes(github: GitHubServer) -> int:
    return sum("/labels" in request.path for request in github.requests)


def test_a_label_appears_with_its_reason_and_goes_with_it(github: GitHubServer, org: Org) -> None:
    connect(github, org, label_pull_requests="true")
    agreed(most_lines=LINES - 1)
    assert labels(github) == {"bug"}, "nobody asked for labels"
    agreed(marks_pull_requests=True)
    assert labels(github) == {"bug", TOO_LARGE}
    assert mark().labels == [TOO_LARGE]
    made = writes(github)
    agreed()
    assert writes(github) == made, "repeating it writes nothing"
    agreed(most_lines=LINES)
    assert labels(github) == {"bug"}
    agreed(needs_work_item=True, review_hours=1)
    assert labels(github) == {"bug", NO_ITEM, UNREVIEWED}
    call_command("sync", "--wait", stdout=StringIO())
    assert set(PullRequest.objects.get(number=NUMBER).labels) >= {"bug"}
    agreed(marks_pull_requests=None)
    assert labels(github) == {"bug"}, "the agreement no longer asks for labels"
    events = apps.get_model("integrations", "PullRequestMarkEvent")._default_manager.order_by("pgh_id")
    of_one = events.filter(pgh_obj=mark().pk).values_list("labels", flat=True)
    assert [*of_one] == [[], [TOO_LARGE], [], [NO_ITEM, UNREVIEWED], []]


@pytest.mark.parametrize("ending", [EventKind.MERGED, EventKind.CLOSED])
def test_labels_come_off_once_it_is_merged_or_closed(github: GitHubServer, org: Org, ending: EventKind) -> None:
    connect(github, org, label_pull_requests="true")
    agreed(most_lines=1, marks_pull_requests=True)
    assert labels(github) == {"bug", TOO_LARGE}
    github.show(ended(ending))
    call_command("sync", "--wait", stdout=StringIO())
    assert PullRequest.objects.get(number=NUMBER).state != PullRequestState.OPEN
    try_again()
    assert labels(github) == {"bug"}
    assert mark().labels == []
    made = writes(github)
    try_again()
    assert writes(github) == made


def test_nothing_is_written_unless_an_admin_allowed_it(github: GitHubServer, org: Org) -> None:
    connect(github, org)
    agreed(most_lines=1, marks_pull_requests=True)
    assert writes(github) == 0
    assert not PullRequestMark.objects.exists()


def test_a_label_that_somebody_removed_is_not_missed(github: GitHubServer, org: Org) -> None:
    connect(github, org, label_pull_requests="true")
    agreed(most_lines=1, marks_pull_requests=True)
    github.shown.pull_requests["shop"][NUMBER].labels.remove(TOO_LARGE)
    agreed(most_lines=10_000)
    assert (mark().problem, mark().labels) == ("", [])


def test_a_missing_permission_is_shown_and_tried_again_later(org: Org) -> None:
    token = Token(SECRET, "ada", lacks=frozenset(["pull_requests_write"]))
    with GitHubServer(history(), tokens=[token]) as github:
        connect(github, org, label_pull_requests="true")
        agreed(most_lines=1, marks_pull_requests=True)
        assert mark().labels == []
        assert mark().problem
        assert mark().next_try_at > timezone.now()
        made = writes(github)
        mark_pull_requests()
        assert writes(github) == made, "it waits"
        assert not Connection.objects.exclude(problem="").exists(), "reading goes on"
        github.access.give(Token(SECRET, "ada"))
        try_again()
        assert labels(github) == {"bug", TOO_LARGE}
        assert (mark().problem, mark().failures) == ("", 0)


def test_a_connection_with_labels_can_be_removed_with_its_facts(github: GitHubServer, org: Org) -> None:
    connect(github, org, label_pull_requests="true")
    agreed(most_lines=1, marks_pull_requests=True)
    assert PullRequestMark.objects.exists()
    with transaction.atomic():
        forget_records(Connection.objects.get(provider="github"))
    assert not PullRequestMark.objects.exists()


def test_an_outage_passes_and_loses_nothing(github: GitHubServer, org: Org) -> None:
    connect(github, org, label_pull_requests="true")
    github.faults.append(Fault(bad_gateway(), path="/labels", times=None))
    agreed(most_lines=1, marks_pull_requests=True)
    assert mark().failures == 1
    github.faults.clear()
    try_again()
    assert labels(github) == {"bug", TOO_LARGE}
