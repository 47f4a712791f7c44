"""A small shop that delivers: pull requests of a known course, each deployed, as a build machine would push them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from insights.query import windows
from tests.org import Org

REPOSITORY = "acme/shop"
# The course of a change, in hours after its first commit.  The stages last 2, 4, 1, 0.5 and 3 hours; together 10.5.
OPENED, REVIEWED, APPROVED, MERGED, DEPLOYED = 2.0, 6.0, 7.0, 7.5, 10.5
LEAD_HOURS = DEPLOYED


def day_before(days: int) -> date:
    return windows.local_today() - timedelta(days=days)


def at(day: date, hours: float) -> str:
    """So many hours after six in the morning of the day."""
    return (datetime.combine(day, time(6)) + timedelta(hours=hours)).isoformat() + "Z"


def merged(
    number: int, day: date, *, author: str = "ada", reviewed: bool = True, title: str = "", waits: float = 0.0
) -> dict[str, object]:
    """A pull request merged on the day; without a review it lacks pickup, review and merge.

    `waits` are hours that the first review comes later, and everything after it.
    """
    reviews = [
        {"author": "grace@example.com", "state": "commented", "submitted_at": at(day, REVIEWED + waits)},
        {"author": "grace@example.com", "state": "approved", "submitted_at": at(day, APPROVED + waits)},
    ]
    return {
        "id": f"pr-{number}",
        "repository": REPOSITORY,
        "number": number,
        "author": f"{author}@example.com",
        "title": title or f"Change {number}",
        "created_at": at(day, OPENED),
        "state": "merged",
        "merged_at": at(day, MERGED + waits),
        "merged_by": "grace@example.com",
        "additions": 40,
        "deletions": 10,
        "reviews": reviews if reviewed else [],
        "commits": [
            {
                "sha": f"{number:040x}",
                "author_email": f"{author}@example.com",
                "authored_at": at(day, 0),
                "committed_at": at(day, 0),
                "message": f"Change {number}",
                "parents": [],
            }
        ],
    }


def deployed(number: int, day: date, *, waits: float = 0.0, **more: object) -> dict[str, object]:
    finished = at(day, DEPLOYED + waits)
    return {
        "id": f"d-{number}",
        "repository": REPOSITORY,
        "environment": "production",
        "status": "success",
        "started_at": at(day, DEPLOYED + waits - 0.25),
        "finished_at": finished,
        "unplanned": False,
        **more,
    }


def records(*, changes: int = 6, unreviewed: int = 1) -> dict[str, list[dict[str, object]]]:
    """Records by kind: pull requests on separate days, the last of them `unreviewed`, each deployed the same day.

    The first deployment failed: an incident began half an hour after it and lasted two hours.
    """
    days = [day_before(3 + number) for number in range(changes)]
    return {
        "pull-requests": [merged(n + 1, day, reviewed=n < changes - unreviewed) for n, day in enumerate(days)],
        "deployments": [deployed(n + 1, day) for n, day in enumerate(days)],
        "incidents": [
            {
                "id": "i-1",
                "repository": REPOSITORY,
                "started_at": at(days[0], DEPLOYED + 0.5),
                "resolved_at": at(days[0], DEPLOYED + 2.5),
                "title": "Checkout is down",
            }
        ],
    }


def deliver(org: Org, *, changes: int = 6, unreviewed: int = 1) -> None:
    """Push `records`."""
    for kind, of_kind in records(changes=changes, unreviewed=unreviewed).items():
        org.push(kind, *of_kind)
