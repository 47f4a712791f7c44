"""A provider's budget is spread over the time until it is renewed, and some of it is reserved for interactive use."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.connectors.errors import TransientError
from integrations.connectors.rate_limits import ReportedQuota, reported_quota
from integrations.models import Connection, Quota
from integrations.sync.budgets import LONGEST_PAUSE, BudgetBook


def quota(remaining: int, *, seconds: float = 100, limit: int = 1000) -> ReportedQuota:
    return ReportedQuota("core", limit, remaining, timezone.now() + timedelta(seconds=seconds))


def test_requests_slow_down_before_the_budget_is_used_up(connection: Connection) -> None:
    book = BudgetBook(connection)
    assert book.seconds_before("core") == 0  # nothing is known yet
    book.note("core", quota(900))
    assert book.seconds_before("core") == 0
    book.note("core", quota(200))
    assert book.seconds_before("core") == pytest.approx(1.0, abs=0.1)  # 100 requests for 100 seconds
    book.note("core", quota(110, seconds=3000))
    assert book.seconds_before("core") == LONGEST_PAUSE
    book.note("core", quota(100))
    with pytest.raises(TransientError, match="900 of the 1,000 requests that are granted are used up") as caught:
        book.seconds_before("core")
    assert caught.value.retry_at is not None
    assert book.seconds_before("graphql") == 0  # another budget
    book.note("core", quota(100, seconds=-1))
    assert book.seconds_before("core") == 0  # renewed by now


def test_what_somebody_waits_for_may_use_the_reserve(connection: Connection) -> None:
    book = BudgetBook(connection, reserve=0.0)
    book.note("core", quota(5, seconds=1))
    assert 0 < book.seconds_before("core") < 1
    book.note("core", quota(0))
    with pytest.raises(TransientError):
        book.seconds_before("core")


def test_other_workers_and_later_turns_know(connection: Connection) -> None:
    book = BudgetBook(connection)
    until = timezone.now() + timedelta(minutes=5)
    book.note("core", quota(700))
    book.block("graphql", until)
    book.save()
    book.note("core", quota(650))
    book.save()
    later = BudgetBook(connection)
    assert later.seconds_before("core") == 0
    with pytest.raises(TransientError, match="asked to wait") as caught:
        later.seconds_before("graphql")
    assert caught.value.retry_at == until
    rows = Quota.objects.order_by("budget").values_list("budget", "remaining", "blocked_until")
    assert list(rows) == [("core", 650, None), ("graphql", None, until)]


def test_a_header_that_only_says_that_little_is_left_slows_requests_down(connection: Connection) -> None:
    """Bitbucket names no remaining requests: https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/"""
    book, now = BudgetBook(connection), timezone.now()
    headers = {"x-ratelimit-limit": "1000", "x-ratelimit-resource": "api-repositories", "x-ratelimit-nearlimit": "true"}
    near, far = reported_quota(headers, now), reported_quota({**headers, "x-ratelimit-nearlimit": "false"}, now)
    assert near is not None
    assert far is not None
    assert (near.budget, near.remaining, far.remaining) == ("", 200, None)
    book.note("requests", near)
    assert book.seconds_before("requests") == LONGEST_PAUSE
    book.note("requests", far)
    book.save()
    assert book.seconds_before("requests") == 0
    assert reported_quota({"x-ratelimit-nearlimit": "true"}, now) is None
