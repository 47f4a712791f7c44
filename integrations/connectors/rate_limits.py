"""Budgets and waiting times in providers' headers, in the four ways in which they write times.

Epoch seconds (GitHub, GitLab, ServiceNow), epoch milliseconds (Linear), ISO 8601 (Jira Cloud), and seconds to wait
(PagerDuty); Retry-After may also be an HTTP date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

FIRST_EPOCH_SECOND = 10**9  # 2001: a smaller number counts seconds from now
FIRST_EPOCH_MILLISECOND = 10**12
LAST_EPOCH_SECOND = 10**10  # 2286: a larger number is no time in seconds
LONGEST_WAIT = timedelta(hours=25)  # daily budgets exist; a longer wait is a mistake and would stop us for good
LIMIT = ("x-ratelimit-limit", "ratelimit-limit", "x-ratelimit-requests-limit")
REMAINING = ("x-ratelimit-remaining", "ratelimit-remaining", "x-ratelimit-requests-remaining")
RESET = ("x-ratelimit-reset", "ratelimit-reset", "x-ratelimit-requests-reset")
BUDGET = "x-ratelimit-resource"
NEAR_LIMIT = "x-ratelimit-nearlimit"  # Bitbucket's, which names no remaining requests
NEAR = 0.2  # share of the limit that is left once it says so, of a rolling hour
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?")


@dataclass(frozen=True, slots=True)
class ReportedQuota:
    """The request budget that an answer reports; `budget` is its name if the provider gives one."""

    budget: str
    limit: int | None
    remaining: int | None
    resets_at: datetime | None


def reported_quota(headers: Mapping[str, str], now: datetime) -> ReportedQuota | None:
    """The reported quota; None if the headers do not report the remaining requests."""
    remaining = _whole_number(headers, REMAINING)
    if remaining is None:
        return _near_limit(headers, now)
    reset = _first(headers, RESET)
    resets_at = None if reset is None else moment(reset, headers, now)
    return ReportedQuota(headers.get(BUDGET, ""), _whole_number(headers, LIMIT), remaining, resets_at)


def _near_limit(headers: Mapping[str, str], now: datetime) -> ReportedQuota | None:
    """The budget by a header that only says whether little of it is left.

    https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/
    """
    limit, near = _whole_number(headers, LIMIT), headers.get(NEAR_LIMIT, "").strip().lower()
    if limit is None or near not in ("true", "false"):
        return None
    if near == "false":
        return ReportedQuota("", limit, None, None)
    return ReportedQuota("", limit, int(limit * NEAR), now + timedelta(hours=1))


def retry_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The time to retry: Retry-After, else the reset of an exhausted budget."""
    after = headers.get("retry-after")
    if after is not None and (at := moment(after, headers, now)) is not None:
        return at
    quota = reported_quota(headers, now)
    return quota.resets_at if quota is not None and quota.remaining == 0 else None


def moment(text: str, headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The time that a header's value means, by our clock; None if it cannot be parsed.

    Times of day are the provider's: the difference between its clock (the Date header) and ours is subtracted.
    """
    words = text.strip()
    if _NUMBER.fullmatch(words) and float(words) < FIRST_EPOCH_SECOND:
        return _within_reason(now + timedelta(seconds=float(words)), now)
    at = _point_in_time(words)
    if at is None:
        return None
    return _within_reason(at + (now - response_time(headers, now)), now)


def response_time(headers: Mapping[str, str], now: datetime) -> datetime:
    """The time of the answer by the provider's clock, which its records' times follow; else by ours."""
    return _date(headers.get("date", "")) or now


def _point_in_time(words: str) -> datetime | None:
    if _NUMBER.fullmatch(words):
        seconds = float(words)
        seconds = seconds / 1000 if seconds >= FIRST_EPOCH_MILLISECOND else seconds
        return datetime.fromtimestamp(min(seconds, LAST_EPOCH_SECOND), UTC)
    try:
        at = datetime.fromisoformat(words)
    except ValueError:
        return _date(words)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _date(words: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(words)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _within_reason(at: datetime, now: datetime) -> datetime:
    return min(max(at, now), now + LONGEST_WAIT)


def _whole_number(headers: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    text = _first(headers, names)
    return int(float(text)) if text is not None and _NUMBER.fullmatch(text.strip()) else None


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((headers[name] for name in names if name in headers), None)
