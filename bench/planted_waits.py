"""Teams whose reviews wait for a known cause, together with conditions that have no effect: whether the cause
is named.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from insights.formulas.review_waits import (
    Cause,
    Lengths,
    Review,
    Times,
    Wait,
    causes_of,
    plain,
    wait_of,
    working_times,
)

AUTHORS, PULL_REQUESTS = 8, 120  # of a team, in a quarter
TEAMS = 6  # of an organisation: the first has the cause
USUAL = 5.0  # reviews of a reviewer in a week
HOME, FAR = "Europe/Berlin", "America/Los_Angeles"
MONDAY = datetime(2026, 8, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Named:
    """Counts of long waits, with or without a planted cause, that were named correctly, left open or named wrongly."""

    cause: Cause
    right: int
    unknown: int
    wrong: int

    @property
    def waits(self) -> int:
        return self.right + self.unknown + self.wrong


def named_in(cause: Cause, *, organisations: int, seed: int) -> Named:
    counts = {"right": 0, "unknown": 0, "wrong": 0}
    for number in range(organisations):
        draw = random.Random(f"{cause} {seed} {number}")  # noqa: S311 — a bench, not a secret
        planted = _team(draw, cause)
        others = [wait for _ in range(TEAMS - 1) for wait, _ in _team(draw, None)]
        everywhere = Lengths(plain([*others, *(wait for wait, _ in planted)]))
        truth = {id(wait): true for wait, true in planted}
        for wait, answer in causes_of([wait for wait, _ in planted], everywhere):
            true = truth[id(wait)]
            result = "right" if answer is true else "unknown" if answer is Cause.UNKNOWN else "wrong"
            counts[result] += 1
    return Named(cause, **counts)


def _team(draw: random.Random, cause: Cause | None) -> Sequence[tuple[Wait, Cause]]:
    """Reviews of a quarter as waits, with the cause that made each of them long; UNKNOWN if there is no
    knowable cause.
    """
    few = cause is Cause.FEW_REVIEWERS
    waits = []
    for _ in range(PULL_REQUESTS):
        opened = MONDAY + timedelta(days=draw.randrange(91), hours=7 + draw.random() * 9)
        review = Review(
            author=draw.randrange(AUTHORS),
            opened_at=opened,
            first_review_at=opened,
            approved_at=opened,
            zone=HOME,
            reviewer_zone=HOME,
            is_large=draw.random() < 0.15,
            rounds=draw.choice((1, 1, 1, 2, 2, 3)),
            reviewers=2 if few else draw.choice((3, 3, 4, 5)),
            busy=draw.choice((2, 3, 4, 5, 6, 8, 11)),
        )
        is_struck = draw.random() < 0.5
        pickup, rest = draw.lognormvariate(0.7, 0.7), draw.lognormvariate(-0.3, 0.8)
        true = Cause.UNKNOWN
        if is_struck and cause is not None:
            review, pickup, rest, true = _struck(draw, review, cause, pickup, rest)
        first = _after(review.opened_at, pickup, review.zone)
        pipelines = [Times(opened, opened + timedelta(minutes=draw.uniform(5, 40)))]
        if true is Cause.CI:
            pipelines = [Times(opened, first - timedelta(minutes=20))]
        if true is Cause.TIME_ZONES:
            first = _after(review.opened_at, draw.uniform(0.1, 1.5), review.reviewer_zone)
        approved = _after(first, rest, review.zone)
        rescoped = first + (approved - first) / 20 if true is Cause.RESCOPED or draw.random() < 0.03 else None
        review = replace(review, first_review_at=first, approved_at=approved, pipelines=pipelines, rescoped_at=rescoped)
        waits.append((wait_of(review, usual=USUAL), true))
    return waits


def _struck(
    draw: random.Random, review: Review, cause: Cause, pickup: float, rest: float
) -> tuple[Review, float, float, Cause]:
    """The review with the cause, and its hours of working time until the first review and from then on."""
    slow = draw.uniform(9, 40)
    match cause:
        case Cause.SIZE:
            return replace(review, is_large=True), slow, rest, cause
        case Cause.LOAD:
            return replace(review, busy=draw.randrange(11, 20)), slow, rest, cause
        case Cause.ROUNDS:
            return replace(review, rounds=draw.randrange(3, 7)), pickup, slow, cause
        case Cause.RESCOPED:
            return replace(review, rounds=draw.randrange(2, 5)), pickup, slow, cause
        case Cause.TIME_ZONES:
            # Opened in the author's morning: most of their day passes before the reviewer's begins.
            opened = review.opened_at.replace(hour=draw.choice((6, 7)))
            return replace(review, opened_at=opened, reviewer_zone=FAR), pickup, rest, cause
        case _:
            return review, slow, rest, cause


def _after(start: datetime, hours: float, zone: str) -> datetime:
    """The moment after that many hours of working time."""
    left = timedelta(hours=hours)
    for begins, ends in working_times(start, start + timedelta(days=60), zone):
        if ends - begins >= left:
            return begins + left
        left -= ends - begins
    raise AssertionError("sixty days have more working time")
