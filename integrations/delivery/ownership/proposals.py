"""Proposed owners of things without one: the unit whose members do most of the work there, in one statement for all
things.

Work in a repository is pull requests merged there in the last 90 days (if there are none, commits); in a project,
finished items by assignee; in a board, items in its sprints by assignee; for a service, being on call.  Among the units
of a tree whose members did more than half of the work of known people, the deepest is proposed, by today's units and
memberships; if unmatched names did most of the work, none is.

Records that name an owner come first: the unit whose name is in the team field of most items that name a team
(named_teams.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import LiteralString

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from core import sql
from integrations.delivery.ownership.give import Gift, give, lock_trees
from integrations.delivery.ownership.named_teams import named_teams
from integrations.facts.ownership import OWNER_DAYS
from integrations.models import Ownership
from orgtree.models import OrgTree, Unit

LOOKED_BACK = timedelta(days=90)  # people who worked there half a year ago may be in another team by now

# Kind of work → its singular and plural in a reason.
WORDS: Mapping[str, tuple[str, str]] = {
    "merges": ("merge", "merges"),
    "commits": ("commit", "commits"),
    "items": ("finished item", "finished items"),
    "sprint_items": ("sprint item", "sprint items"),
    "on_call": ("person on call", "people on call"),
    "team_items": ("item that names a team", "items that name a team"),
}

# (owned thing, person or null, count, kind of work) since a day, for the things in question.  Work of autonomous agents
# belongs to nobody, and counts for the future owner.
_WORK: LiteralString = """
    merges AS MATERIALIZED (
        SELECT asked.id AS owned_id, identity.person_id, count(*) AS times
        FROM asked
        JOIN integrations_pullrequestfigures figures ON figures.repository_id = asked.repository_id
         AND figures.merged_on >= %(since)s AND figures.set_apart = '' AND NOT figures.is_autonomous
        LEFT JOIN orgtree_identity identity ON identity.id = figures.credited_id
        GROUP BY asked.id, identity.person_id
    ), work AS MATERIALIZED (
        SELECT owned_id, person_id, times, 'merges' AS what FROM merges
        UNION ALL
        SELECT asked.id, identity.person_id, count(*), 'commits'
        FROM asked
        JOIN integrations_commit commit ON commit.home_id = asked.repository_id
         AND commit.counted_on >= %(since)s AND commit.set_apart = '' AND commit.credited_id IS NOT NULL
        LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
        WHERE asked.id NOT IN (SELECT owned_id FROM merges)
        GROUP BY asked.id, identity.person_id
        UNION ALL
        SELECT asked.id, identity.person_id, count(*), 'items'
        FROM asked
        JOIN integrations_workitem item ON item.project_id = asked.project_id AND item.deleted_at IS NULL
         AND item.status_category = 'done' AND item.resolved_at >= %(since)s
        LEFT JOIN orgtree_identity identity ON identity.id = item.assignee_id
        GROUP BY asked.id, identity.person_id
        UNION ALL
        SELECT asked.id, identity.person_id, count(DISTINCT item.id), 'sprint_items'
        FROM asked
        JOIN integrations_sprint sprint ON sprint.connection_id = asked.connection_id AND sprint.board = asked.name
         AND sprint.deleted_at IS NULL AND coalesce(sprint.completed_at, sprint.ends_at, now()) >= %(since)s
        JOIN integrations_sprintchange change ON change.sprint = sprint.external_id AND change.added
        JOIN integrations_workitem item ON item.id = change.work_item_id
         AND item.connection_id = sprint.connection_id AND item.deleted_at IS NULL
        LEFT JOIN orgtree_identity identity ON identity.id = item.assignee_id
        GROUP BY asked.id, identity.person_id
        UNION ALL
        SELECT asked.id, identity.person_id, count(DISTINCT lower(on_call.email)), 'on_call'
        FROM asked
        JOIN integrations_resource service ON asked.kind = 'service' AND service.kind = 'service'
         AND service.service = asked.name AND service.gone_at IS NULL
        CROSS JOIN jsonb_array_elements_text(service.details -> 'on_call') AS on_call (email)
        LEFT JOIN orgtree_identity identity ON identity.kind = 'email' AND identity.value = lower(on_call.email)
        GROUP BY asked.id, identity.person_id
    )
"""
_PROPOSE: LiteralString = f"""
    WITH asked AS MATERIALIZED (
        SELECT id, kind, connection_id, name, repository_id, project_id FROM integrations_owned
        WHERE (%(owned)s::bigint[] IS NULL OR id = ANY (%(owned)s)) AND follows_id IS NULL
    ), {_WORK}, total AS (
        SELECT owned_id, coalesce(sum(times) FILTER (WHERE person_id IS NOT NULL), 0) AS known,
               coalesce(sum(times) FILTER (WHERE person_id IS NULL), 0) AS unmatched
        FROM work GROUP BY owned_id
    ), standing AS MATERIALIZED (
        SELECT unit_id, count(*) AS depth FROM orgtree_unitplacement
        WHERE tree_id = ANY (%(trees)s) AND during @> %(today)s::date
        GROUP BY unit_id
    ), done_in AS (
        SELECT work.owned_id, work.what, placement.tree_id, placement.ancestor_id AS unit_id, sum(work.times) AS times
        FROM work
        JOIN orgtree_placement placement ON placement.person_id = work.person_id
         AND placement.tree_id = ANY (%(trees)s) AND placement.during @> %(today)s::date
        GROUP BY work.owned_id, work.what, placement.tree_id, placement.ancestor_id
    )
    SELECT DISTINCT ON (done_in.owned_id, done_in.tree_id)
           done_in.owned_id, done_in.tree_id, done_in.unit_id, done_in.what, done_in.times,
           total.known, total.unmatched,
           standing.depth = 1
    FROM done_in
    JOIN total ON total.owned_id = done_in.owned_id AND done_in.times * 2 > total.known
     AND total.known >= total.unmatched
    JOIN standing ON standing.unit_id = done_in.unit_id
    WHERE (done_in.owned_id, done_in.tree_id) NOT IN (
        SELECT owned_id, tree_id FROM ({OWNER_DAYS}) AS owner WHERE during @> %(today)s::date
    )
    ORDER BY done_in.owned_id, done_in.tree_id, standing.depth DESC, done_in.times DESC, done_in.unit_id
"""  # noqa: S608  # constants of this module


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed owner: the unit whose members did `times` of the `total` units of work of known people.

    `is_root`: no unit below it did more than half.
    """

    owned_id: int
    tree_id: int
    unit: Unit
    what: str
    times: int
    total: int
    unmatched: int
    is_root: bool

    @property
    def share(self) -> float:
        """The members' share of the work, always more than half."""
        return self.times / self.total

    @property
    def reason(self) -> str:
        """The reason as a sentence: 14 of 17 merges in the last 90 days by members of Platform; 3 more by unmatched
        names.
        """
        one, many = WORDS[self.what]
        if self.what == "team_items":
            return f"{self.times:,} of {self.total:,} {many} in the last {LOOKED_BACK.days} days name {self.unit}"
        if self.what == "on_call":
            return f"{self.times:,} of {self.total:,} known {many if self.total > 1 else one}: members of {self.unit}"
        done = (
            f"the only {one}" if self.total == 1 and not self.unmatched else f"{self.times:,} of {self.total:,} {many}"
        )
        more = f"; {self.unmatched:,} more by unmatched names" if self.unmatched else ""
        return f"{done} in the last {LOOKED_BACK.days} days by members of {self.unit}{more}"


def proposals(
    trees: Collection[OrgTree], *, owned_ids: Collection[int] | None = None, today: date | None = None
) -> Sequence[Proposal]:
    """Proposed owners in each of these trees for things without an owner today, all or only `owned_ids`.

    A thing that follows a repository inherits its owner, and gets no proposal.
    """
    today = today or timezone.localdate()
    params = {
        "owned": None if owned_ids is None else sorted(owned_ids),
        "trees": [tree.pk for tree in trees],
        "since": today - LOOKED_BACK,
        "today": today,
    }
    rows = {(row[0], row[1]): row[2:] for row in sql.rows(_PROPOSE, params)}
    named = named_teams(owned_ids, [tree.pk for tree in trees], since=today - LOOKED_BACK, today=today)
    for owned, tree, unit, times, total, is_root in named:
        rows[owned, tree] = (unit, "team_items", times, total, 0, is_root)
    units = Unit.objects.in_bulk([row[0] for row in rows.values()]) if rows else {}
    return [
        Proposal(owned, tree, units[unit], what, int(times), int(known), int(unmatched), is_root)
        for (owned, tree), (unit, what, times, known, unmatched, is_root) in rows.items()
    ]


@dataclass(frozen=True, slots=True)
class ConfirmedProposals:
    """The number of confirmed proposals, and of those skipped because only the top of a tree could own the thing."""

    confirmed: int
    left: int


def confirm_proposed(trees: Collection[OrgTree], *, by: User | None) -> ConfirmedProposals:
    """Confirm all proposals in these trees; a second call changes nothing.

    Things that only the top of a tree could own are skipped: that would not be informative.
    """
    proposed = proposals(trees)
    to_confirm = [(proposal.owned_id, proposal.unit.pk) for proposal in proposed if not proposal.is_root]
    return ConfirmedProposals(confirm(to_confirm, by=by), len(proposed) - len(to_confirm))


def confirm(chosen: Collection[tuple[int, int]], *, by: User | None) -> int:
    """Assign each (thing, unit) as proposed, from the end of its last ownership in the tree or the beginning; return
    how many.

    A thing that has an owner today, or will get one, is skipped: somebody else was faster.
    """
    with transaction.atomic():
        units = Unit.objects.in_bulk({unit_id for _, unit_id in chosen})
        lock_trees({unit.tree_id for unit in units.values()})
        ends = _last_days({owned_id for owned_id, _ in chosen})
        today = timezone.localdate()
        gifts = {}
        for owned_id, unit_id in chosen:
            if (unit := units.get(unit_id)) is None:
                continue
            key = owned_id, unit.tree_id
            end = ends.get(key)
            if key in ends and (end is None or end > today):
                continue
            gifts[key] = Gift(*key, unit.pk, end)
        return give(list(gifts.values()), by=by)


def _last_days(owned_ids: Collection[int]) -> Mapping[tuple[int, int], date | None]:
    """The end of the last ownership of each thing in each tree; None: it has not ended."""
    ends: dict[tuple[int, int], date | None] = {}
    for owned_id, tree_id, end in Ownership.objects.filter(owned__in=owned_ids).values_list(
        "owned_id", "tree_id", "during__endswith"
    ):
        before = ends.get((owned_id, tree_id), date.min)
        ends[owned_id, tree_id] = None if end is None or before is None else max(before, end)
    return ends
