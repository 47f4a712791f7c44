"""Causes of waiting reviews: assigns each team's pull requests, every night, to the cause of their wait."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction
from django.utils import timezone

from core import sql
from insights.formulas.review_waits import (
    FEW_REVIEWERS,
    Cause,
    Lengths,
    Review,
    Times,
    Wait,
    causes_of,
    mix_of,
    plain,
    wait_of,
)
from insights.models import ReviewWaits
from orgtree.access.access import aggregates_access
from orgtree.models import Organisation
from orgtree.organisation.public_holidays import days_off

WEEKS = 13
REVIEWERS_OF, LOAD_OF = timedelta(weeks=12), timedelta(days=7)
LEAST_WAITS = 20
LABELS: Mapping[Cause, str] = {
    Cause.FEW_REVIEWERS: "Few reviewers",
    Cause.LOAD: "Reviewer load",
    Cause.SIZE: "Size",
    Cause.RESCOPED: "Item changed during review",
    Cause.ROUNDS: "Review rounds",
    Cause.TIME_ZONES: "Time zones",
    Cause.CI: "Waiting for CI",
    Cause.UNKNOWN: "Cannot tell",
}
# Merged pull requests with their team; the last review if there was no approval.
_PULL_REQUESTS = """
    SELECT figures.pull_request_id, team.unit_id, identity.person_id, figures.repository_id,
           figures.opened_at, figures.first_review_at, ended.at, figures.size_class IN ('L', 'XL'),
           (
               SELECT count(DISTINCT (
                   SELECT count(*) FROM integrations_pullrequestcommit commit
                   WHERE commit.pull_request_id = figures.pull_request_id AND commit.committed_at <= review.submitted_at
               ))
               FROM integrations_countedreview counted
               JOIN integrations_pullrequestreview review ON review.id = counted.review_id
               WHERE counted.pull_request_id = figures.pull_request_id
           ),
           (
               SELECT min(change.at) FROM integrations_workitemlink link
               JOIN integrations_workitemchange change ON change.work_item_id = link.work_item_id
               WHERE link.pull_request_id = figures.pull_request_id AND change.field IN ('estimate', 'type')
                 AND change.at > figures.opened_at AND change.at < ended.at
           )
    FROM integrations_pullrequestfigures figures
    JOIN orgtree_identity identity ON identity.id = figures.credited_id
    JOIN LATERAL (
        SELECT placement.ancestor_id AS unit_id FROM orgtree_placement placement
        WHERE placement.person_id = identity.person_id AND placement.during @> figures.merged_on
          AND placement.ancestor_id = ANY (%(teams)s)
        LIMIT 1
    ) AS team ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(figures.approved_at, (
            SELECT max(review.submitted_at) FROM integrations_countedreview counted
            JOIN integrations_pullrequestreview review ON review.id = counted.review_id
            WHERE counted.pull_request_id = figures.pull_request_id
        )) AS at
    ) AS ended
    WHERE figures.merged_on >= %(start)s AND figures.merged_on < %(end)s AND figures.set_apart = ''
      AND figures.first_review_at > figures.opened_at AND ended.at >= figures.first_review_at
"""
_REVIEWS = """
    SELECT identity.person_id, figures.repository_id, review.submitted_at, counted.pull_request_id
    FROM integrations_countedreview counted
    JOIN integrations_pullrequestreview review ON review.id = counted.review_id
    JOIN integrations_pullrequestfigures figures ON figures.pull_request_id = counted.pull_request_id
    JOIN orgtree_identity identity ON identity.id = counted.reviewer_id AND identity.person_id IS NOT NULL
    WHERE counted.submitted_on >= %(since)s AND counted.submitted_on < %(end)s
    ORDER BY review.submitted_at
"""
_PIPELINES = """
    SELECT figures.pull_request_id, coalesce(run.queued_at, run.started_at), run.finished_at
    FROM integrations_pipelinerunfigures figures
    JOIN integrations_pipelinerun run ON run.id = figures.run_id
    WHERE figures.pull_request_id = ANY (%(pull_requests)s)
      AND run.finished_at > coalesce(run.queued_at, run.started_at)
"""
_ZONES = """
    SELECT DISTINCT ON (held.person_id) held.person_id, held.value
    FROM orgtree_personattribute held
    JOIN orgtree_attribute attribute ON attribute.id = held.attribute_id AND attribute.slug = 'time_zone'
    WHERE held.during @> %(day)s::date AND held.value = ANY (%(zones)s)
"""


# The rule in words, for readers who want to know why a pull request counts for a cause.
RULES: Mapping[Cause, str] = {
    Cause.CI: "Pipelines ran or were queued for at least half of the wait.",
    Cause.TIME_ZONES: "At least half of the wait passed before the reviewer's working day began.",
    Cause.RESCOPED: "The estimate or type of its work item changed, and at least half of the wait came after that.",
    Cause.ROUNDS: "It took three or more rounds, and at least half of the wait came after the first review.",
    Cause.FEW_REVIEWERS: "At most two other people had reviewed in the repository in the twelve weeks before.",
    Cause.LOAD: "Its first reviewer had given at least twice as many reviews as usual in seven days (eight or more).",
    Cause.SIZE: "It is large by the team's own size classes (L or XL).",
    Cause.UNKNOWN: "No rule explains the wait, or several of the last three do.",
}


@transaction.atomic
def store_waits(teams: Sequence[int], monday: date) -> None:
    """Stores the causes in the 13 whole weeks before this Monday, replacing those of earlier nights."""
    start = monday - timedelta(weeks=WEEKS)
    waits = read_waits(teams, start, monday)
    everywhere = Lengths(plain(wait for of_team in waits.values() for wait in of_team))
    fewest = aggregates_access().minimum_group_size
    ReviewWaits.objects.all().delete()
    stored = [waits_of_team(team, of_team, everywhere, fewest) for team, of_team in waits.items()]
    ReviewWaits.objects.bulk_create(
        ReviewWaits(**of_team, since=start, until=monday) for of_team in stored if of_team is not None
    )


def waits_of_team(team: int, waits: Sequence[Wait], everywhere: Lengths, fewest: int) -> dict[str, Any] | None:
    """The team's waits by cause; None for fewer than 20 waits, or fewer than `fewest` authors."""
    explained = causes_of(waits, everywhere)
    slow = {wait.review.author for wait, _ in explained}
    if len(explained) < LEAST_WAITS or len(slow) < fewest:
        return None
    return {
        "unit_id": team,
        "pull_requests": len(waits),
        "waiting": len(explained),
        "people": len(slow),
        "lines": [line._asdict() for line in mix_of(explained)],
    }


def read_waits(teams: Sequence[int], start: date, end: date) -> Mapping[int, Sequence[Wait]]:
    """The reviews of each team's pull requests that were merged on these days."""
    window = {"start": start, "end": end, "teams": [*teams]}
    pull_requests = sql.rows(_PULL_REQUESTS, window)
    given = _Reviews(sql.rows(_REVIEWS, {"since": start - 3 * REVIEWERS_OF, "end": end}))
    pipelines: dict[object, list[Times]] = defaultdict(list)
    for pull_request, begins, ends in sql.rows(_PIPELINES, {"pull_requests": [row[0] for row in pull_requests]}):
        pipelines[pull_request].append(Times(begins, ends))
    zones = dict(sql.rows(_ZONES, {"day": end - timedelta(days=1), "zones": sorted(available_timezones())}))
    usual_zone = timezone.get_default_timezone_name()
    off = days_off(Organisation.current().holidays_in, range(start.year, end.year + 1))
    waits: dict[int, list[Wait]] = defaultdict(list)
    for pk, team, author, repository, opened, first, approved, is_large, rounds, rescoped in pull_requests:
        reviewer = given.first_reviewers.get(pk)
        review = Review(
            author=author,
            opened_at=opened,
            first_review_at=first,
            approved_at=approved,
            zone=zones.get(author, usual_zone),
            reviewer_zone=zones.get(reviewer or author, usual_zone),
            is_large=is_large,
            rounds=rounds,
            reviewers=given.reviewers_of(repository, author, opened),
            busy=given.load_of(reviewer, first),
            rescoped_at=rescoped,
            pipelines=pipelines.get(pk, ()),
        )
        waits[team].append(wait_of(review, usual=given.usual, weekend=off.weekend))
    return waits


class _Reviews:
    """All reviews of a period, by repository and by reviewer, in chronological order."""

    def __init__(self, rows: Sequence[tuple[int, int, datetime, object]]) -> None:
        self.first_reviewers: dict[object, int] = {}
        self._of_repository: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
        self._of_person: dict[int, list[datetime]] = defaultdict(list)
        by_week: dict[tuple[int, date], int] = defaultdict(int)
        for person, repository, at, pull_request in rows:
            self.first_reviewers.setdefault(pull_request, person)
            self._of_repository[repository].append((at, person))
            self._of_person[person].append(at)
            by_week[person, at.date() - timedelta(days=at.weekday())] += 1
        self.usual = float(median(by_week.values())) if by_week else 0.0

    def reviewers_of(self, repository: int, author: int, until: datetime) -> int:
        """The number of other people who reviewed there in the twelve weeks before; counting stops above the limit that
        matters.
        """
        reviews = self._of_repository.get(repository, [])
        people: set[int] = set()
        for position in range(bisect_left(reviews, (until,)) - 1, -1, -1):
            at, person = reviews[position]
            if at < until - REVIEWERS_OF or len(people) > FEW_REVIEWERS:
                break
            people |= {person} - {author}
        return len(people)

    def load_of(self, reviewer: int | None, until: datetime) -> int:
        """The number of reviews that the reviewer gave in the seven days until then."""
        times = self._of_person.get(reviewer or 0, [])
        return bisect_right(times, until) - bisect_left(times, until - LOAD_OF)
