"""The naive application: load the rows, compute the stages, group them and average them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from bench.organisation_rows import HAND_BUILT_TREE
from insights.query.query import Window
from integrations.models import PullRequest
from orgtree.models import Placement

Figures = dict[tuple[int, date, str], tuple[float, float]]  # unit, first day of the week, stage → median, mean


def stages_in_python(weeks: Window) -> Figures:
    """Of the pull requests that were merged in these weeks, for each unit of the hand-built tree."""
    units = _units()
    durations: dict[tuple[int, date, str], list[float]] = defaultdict(list)
    for pull_request in _merged(weeks):
        merged_on = timezone.localtime(pull_request.merged_at).date()
        week = merged_on - timedelta(days=merged_on.weekday())
        person = pull_request.author.person_id if pull_request.author else None
        for stage, seconds in _stages(pull_request):
            for unit, since, until in units.get(person, ()):
                if (since is None or since <= merged_on) and (until is None or merged_on < until):
                    durations[unit, week, stage].append(seconds)
    return {key: (statistics.median(seconds), statistics.fmean(seconds)) for key, seconds in durations.items()}


def _merged(weeks: Window) -> QuerySet[PullRequest]:
    first, after = (timezone.make_aware(datetime.combine(day, datetime.min.time())) for day in (weeks.start, weeks.end))
    merged = PullRequest.objects.filter(merged_at__gte=first, merged_at__lt=after, deleted_at=None)
    return merged.select_related("author").prefetch_related("reviews", "commits")


def _units() -> dict[int | None, list[tuple[int, date | None, date | None]]]:
    """Person → the units that they counted for, with the days."""
    memberships: dict[int | None, list[tuple[int, date | None, date | None]]] = defaultdict(list)
    for placement in Placement.objects.filter(tree__slug=HAND_BUILT_TREE):
        memberships[placement.person_id].append((placement.ancestor_id, placement.during.lower, placement.during.upper))
    return memberships


def _stages(pull_request: PullRequest) -> Iterator[tuple[str, float]]:
    opened, merged = pull_request.ready_at, pull_request.merged_at
    reviews = [
        review
        for review in pull_request.reviews.all()
        if review.author_id != pull_request.author_id and merged and review.submitted_at <= merged
    ]
    approvals = [review.submitted_at for review in reviews if review.state == "approved"]
    first_commit = min(
        (commit.authored_at for commit in pull_request.commits.all() if commit.authored_at), default=None
    )
    reviewed = min((review.submitted_at for review in reviews), default=None)
    approved = max(approvals, default=None)
    for stage, start, end in (
        ("coding", first_commit, opened),
        ("pickup", opened, reviewed),
        ("review", reviewed, approved),
        ("merge", approved, merged),
        ("cycle", opened, merged),
    ):
        if start is not None and end is not None and start <= end:
            yield stage, (end - start).total_seconds()
