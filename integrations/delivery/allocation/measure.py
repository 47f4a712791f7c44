"""Shares a person's week over the work done in it, and assigns each part to an investment category.

Weights: on each working day an item in progress, or completed that day, weighs 1, shared equally over all such items of
the person; a commit weighs 1, a review 0.5, each shared equally over the items that it is linked to.  The days at work
of the week are divided in proportion to these weights: they sum to exactly those days, whatever was done in them.

Days at work are working days of the organisation (without weekends and public holidays) on which the person was
employed and not on leave, up to today.  A week without any such work yields no time.  Bots and unmatched identities
have no weeks.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from celery import shared_task
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from core import sql
from core.nudges import nudge_on_commit
from core.queue import run_one_by_one
from integrations.delivery.allocation.work_days import measure_work_days
from integrations.models import AllocationRule, EffortWeek, FactFamily, WorkingAgreement
from integrations.models.allocation import TERMS
from integrations.outbox.fact_changes import Change, append_changes
from orgtree.models import Organisation
from orgtree.organisation.public_holidays import days_off

PATTERNS = ("repositories", "paths")


def stored_rules() -> list[dict[str, Any]]:
    """All rules, for the statement that assigns work to categories."""
    return [rule_document(rule) for rule in AllocationRule.objects.all()]


def rule_document(rule: AllocationRule) -> dict[str, Any]:
    """The rule in lower case, its repositories and folders as LIKE patterns; a new rule has the id 0."""
    terms = {
        name: [_pattern(name, value) if name in PATTERNS else value.lower() for value in getattr(rule, name)]
        for name in TERMS
    }
    return {
        "id": rule.pk or 0,
        "category_id": rule.category_id,
        "unit_id": rule.unit_id,
        "rank": rule.rank,
        "is_last": rule.matches_everything,
        **terms,
    }


def _pattern(name: str, value: str) -> str:
    escaped = value.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    return f"{escaped.strip('/')}/%" if name == "paths" else escaped


logger = logging.getLogger(__name__)

ITEM_WEIGHT, COMMIT_WEIGHT, REVIEW_WEIGHT = 1.0, 1.0, 0.5
MOST_ANCESTORS = 8
SWEEP_SECONDS = 45.0  # a first build of years leaves the worker to others in between
WEEK = timedelta(days=7)
FEEDS = frozenset({FactFamily.CODE, FactFamily.PULL_REQUEST, FactFamily.WORK_ITEM})
_KEY = ("week", "person_id", "day", "work_item_id", "repository_id", "folder")
_COLUMNS = ("category_id", "rule_id", "epic_id", "initiative_id", "days", "items", "points")

# The working days of the week so far.  %(days)s: those of the organisation.
_WORKING_DAYS = "SELECT unnest(%(days)s::date[]) AS day"
# Items in progress on a working day, or completed on it, by the identity they were assigned to then.
_ITEM_DAYS = """
    SELECT identity.person_id, figures.work_item_id, working.day
    FROM working
    JOIN integrations_workitemfigures figures
      ON figures.in_progress_days @> working.day OR figures.done_on = working.day
    JOIN integrations_workitem item ON item.id = figures.work_item_id AND item.deleted_at IS NULL
     AND item.native_type !~* '(epic|initiative)'
    LEFT JOIN LATERAL (
        SELECT assignment.assignee_id
        FROM integrations_workitemassignment assignment
        WHERE assignment.work_item_id = item.id AND assignment.at < working.day + 1
        ORDER BY assignment.at DESC, assignment.position DESC, assignment.id DESC
        LIMIT 1
    ) AS assigned ON true
    JOIN orgtree_identity identity ON identity.id = coalesce(assigned.assignee_id, figures.credited_id)
    WHERE identity.person_id IS NOT NULL
"""
_COMMITS = """
    SELECT identity.person_id, commit.id AS commit_id, commit.sha, commit.subject, commit.home_id
    FROM integrations_commit commit
    JOIN orgtree_identity identity ON identity.id = commit.credited_id AND identity.person_id IS NOT NULL
    WHERE commit.counted_on >= %(monday)s AND commit.counted_on < %(next)s AND commit.set_apart = ''
"""
# The items of a commit: those of its pull requests, and those that its subject names by key.
_ITEMS_OF_COMMITS = r"""
    SELECT commits.commit_id, link.work_item_id
    FROM commits
    JOIN integrations_pullrequestcommit part ON part.sha = commits.sha
    JOIN integrations_workitemlink link ON link.pull_request_id = part.pull_request_id
    WHERE link.work_item_id IS NOT NULL
    UNION
    SELECT commits.commit_id, link.work_item_id
    FROM commits
    JOIN integrations_pullrequest pull_request ON pull_request.merge_sha = commits.sha AND commits.sha <> ''
    JOIN integrations_workitemlink link ON link.pull_request_id = pull_request.id
    WHERE link.work_item_id IS NOT NULL
    UNION
    SELECT commits.commit_id, item.id
    FROM commits
    CROSS JOIN LATERAL regexp_matches(commits.subject, '\y([A-Z][A-Z0-9]+-[0-9]+)\y', 'g') AS named (keys)
    JOIN integrations_workitem item ON item.key = named.keys[1] AND item.deleted_at IS NULL
"""
# The folder that contains all counted files of a commit, at most three deep.
_FOLDERS = r"""
    SELECT commit_id,
           CASE WHEN min(third) = max(third) THEN min(third) WHEN min(second) = max(second) THEN min(second)
                WHEN min(first) = max(first) THEN min(first) ELSE '' END AS folder
    FROM (
        SELECT file.commit_id,
               coalesce((regexp_match(file.path, '^(?:[^/]+/){0,3}'))[1], '') AS third,
               coalesce((regexp_match(file.path, '^(?:[^/]+/){0,2}'))[1], '') AS second,
               coalesce((regexp_match(file.path, '^(?:[^/]+/){0,1}'))[1], '') AS first
        FROM commits
        JOIN integrations_commitfile file ON file.commit_id = commits.commit_id AND file.set_apart = ''
    ) AS files
    GROUP BY commit_id
"""
_REVIEWS = """
    SELECT identity.person_id, review.review_id, review.pull_request_id, figures.repository_id
    FROM integrations_countedreview review
    JOIN orgtree_identity identity ON identity.id = review.reviewer_id AND identity.person_id IS NOT NULL
    JOIN integrations_pullrequestfigures figures ON figures.pull_request_id = review.pull_request_id
    WHERE review.submitted_on >= %(monday)s AND review.submitted_on < %(next)s
"""
# (person, item, repository, folder, weight).
_ACTIVITY = f"""
    SELECT person_id, work_item_id, NULL::bigint AS repository_id, '' AS folder,
           {ITEM_WEIGHT} / count(*) OVER (PARTITION BY person_id, day) AS weight
    FROM (SELECT DISTINCT * FROM item_days) AS item_days
    UNION ALL
    SELECT commits.person_id, linked.work_item_id, commits.home_id, coalesce(folders.folder, ''),
           {COMMIT_WEIGHT} / count(*) OVER (PARTITION BY commits.commit_id)
    FROM commits
    LEFT JOIN folders USING (commit_id)
    LEFT JOIN items_of_commits linked USING (commit_id)
    UNION ALL
    SELECT reviews.person_id, linked.work_item_id, reviews.repository_id, '',
           {REVIEW_WEIGHT} / count(*) OVER (PARTITION BY reviews.review_id)
    FROM reviews
    LEFT JOIN LATERAL (
        SELECT DISTINCT link.work_item_id FROM integrations_workitemlink link
        WHERE link.pull_request_id = reviews.pull_request_id AND link.work_item_id IS NOT NULL
    ) AS linked ON true
"""  # noqa: S608  # constants of this module
# (person, first day, days) of each part of the week: a week that spans two months has two.
_PARTS = """
    SELECT active.person_id, min(working.day) AS day, count(*)::float8 AS days
    FROM (SELECT DISTINCT person_id FROM activity) AS active
    CROSS JOIN working
    WHERE (
        NOT EXISTS (SELECT FROM orgtree_employment WHERE person_id = active.person_id)
        OR EXISTS (SELECT FROM orgtree_employment WHERE person_id = active.person_id AND during @> working.day)
    ) AND NOT EXISTS (SELECT FROM orgtree_leave WHERE person_id = active.person_id AND during @> working.day)
    GROUP BY active.person_id, date_trunc('month', working.day)
"""
_DIVIDED = """
    SELECT part.person_id, part.day, shared.work_item_id, shared.repository_id, shared.folder,
           part.days * shared.weight / shared.whole AS days
    FROM (
        SELECT person_id, work_item_id, repository_id, folder, sum(weight) AS weight,
               sum(sum(weight)) OVER (PARTITION BY person_id) AS whole
        FROM activity
        GROUP BY person_id, work_item_id, repository_id, folder
    ) AS shared
    JOIN parts part USING (person_id)
"""
_NUMBER = r"CASE WHEN {0} ~ '^\s*\d{{1,7}}([.,]\d{{1,6}})?\s*$' THEN replace(trim({0}), ',', '.')::float8 END"
# Items that were completed in the week, for the person they are credited to: they count on the first day at work of
# their part of the week, or on the day itself.
_COMPLETED = """
    SELECT identity.person_id,
           coalesce(
               (SELECT part.day FROM parts part WHERE part.person_id = identity.person_id
                  AND date_trunc('month', part.day) = date_trunc('month', figures.done_on)),
               figures.done_on
           ) AS day,
           figures.work_item_id, coalesce(item.estimate, 0)::float8 AS points
    FROM integrations_workitemfigures figures
    JOIN integrations_workitem item ON item.id = figures.work_item_id AND item.deleted_at IS NULL
     AND item.native_type !~* '(epic|initiative)'
    JOIN orgtree_identity identity ON identity.id = figures.credited_id AND identity.person_id IS NOT NULL
    WHERE figures.done_on >= %(monday)s AND figures.done_on < %(next)s
"""
_MEASURED = """
    SELECT person_id, day, work_item_id, repository_id, folder,
           coalesce(work_item_id, 0) AS item_key, coalesce(repository_id, 0) AS repository_key,
           sum(days) AS days, sum(items)::int AS items, sum(points) AS points
    FROM (
        SELECT person_id, day, work_item_id, repository_id, folder, days, 0 AS items, 0.0 AS points FROM divided
        UNION ALL
        SELECT person_id, day, work_item_id, NULL, '', 0, 1, points FROM completed
    ) AS both_kinds
    GROUP BY person_id, day, work_item_id, repository_id, folder
"""
_MEASURE = f"""
    working AS MATERIALIZED ({_WORKING_DAYS}),
    item_days AS MATERIALIZED ({_ITEM_DAYS}),
    commits AS MATERIALIZED ({_COMMITS}),
    items_of_commits AS MATERIALIZED ({_ITEMS_OF_COMMITS}),
    folders AS ({_FOLDERS}),
    reviews AS ({_REVIEWS}),
    activity AS MATERIALIZED ({_ACTIVITY}),
    parts AS MATERIALIZED ({_PARTS}),
    divided AS ({_DIVIDED}),
    completed AS ({_COMPLETED}),
    measured AS MATERIALIZED ({_MEASURED})
"""  # constants of this module

# An item and those above it, each once: a circle of parents ends where it began.
CHAIN = f"""
    SELECT item.id AS item_id, 0 AS depth, item.id AS above_id, ARRAY[item.id] AS path,
           item.connection_id, item.key::text, item.parent_key::text, item.native_type::text, item.work_type::text,
           item.labels, item.components, item.versions, item.project_id
    FROM integrations_workitem item
    WHERE item.id IN (SELECT work_item_id FROM measured)
    UNION ALL
    SELECT below.item_id, below.depth + 1, parent.id, below.path || parent.id,
           parent.connection_id, parent.key::text, parent.parent_key::text, parent.native_type::text,
           parent.work_type::text, parent.labels, parent.components, parent.versions, parent.project_id
    FROM chain below
    JOIN integrations_workitem parent
      ON parent.connection_id = below.connection_id AND parent.key = below.parent_key AND parent.deleted_at IS NULL
     AND NOT parent.id = ANY (below.path)
    WHERE below.parent_key <> '' AND below.depth < {MOST_ANCESTORS}
"""  # noqa: S608  # constants of this module
# One row per item and item above it, with what rules ask for in small letters, and the keys from there upwards.
_LINEAGE = """
    SELECT chain.item_id, chain.depth, lower(chain.native_type) AS native_type,
           replace(coalesce(figures.work_type, chain.work_type), '_', ' ') AS work_type,
           ARRAY(SELECT lower(label) FROM unnest(chain.labels) AS label) AS labels,
           ARRAY(SELECT lower(component) FROM unnest(chain.components) AS component) AS components,
           lower(project.key) AS project_key, lower(project.name) AS project_name,
           array_agg(lower(chain.key)) OVER (PARTITION BY chain.item_id ORDER BY chain.depth DESC) AS keys
    FROM chain
    LEFT JOIN integrations_project project ON project.id = chain.project_id
    LEFT JOIN integrations_workitemfigures figures ON figures.work_item_id = chain.above_id
"""
_SUBJECTS = """
    SELECT DISTINCT measured.item_key, measured.repository_key, measured.folder,
           lower(repository.name) AS repository, lower(measured.folder) AS path
    FROM measured LEFT JOIN integrations_repository repository ON repository.id = measured.repository_id
"""
# Every rule that matches a subject, on the item itself (depth 0) or on one above it.
_MATCHES = """
    SELECT subjects.item_key, subjects.repository_key, subjects.folder, rule.id AS rule_id, rule.category_id,
           rule.unit_id, rule.rank, rule.is_last, min(coalesce(lineage.depth, 0)) AS depth
    FROM subjects
    LEFT JOIN lineage ON lineage.item_id = subjects.item_key
    JOIN jsonb_to_recordset(%(rules)s::jsonb) AS rule (
        id bigint, category_id bigint, unit_id bigint, rank int, is_last boolean, types text[], labels text[],
        epics text[], projects text[], components text[], repositories text[], paths text[]
    ) ON (rule.types = '{}' OR lineage.native_type = ANY (rule.types)
          OR lineage.work_type = ANY (rule.types))
     AND (rule.labels = '{}' OR lineage.labels && rule.labels)
     AND (rule.epics = '{}' OR lineage.keys && rule.epics)
     AND (rule.projects = '{}' OR lineage.project_key = ANY (rule.projects)
          OR lineage.project_name = ANY (rule.projects))
     AND (rule.components = '{}' OR lineage.components && rule.components)
     AND (rule.repositories = '{}' OR subjects.repository LIKE ANY (rule.repositories))
     AND (rule.paths = '{}' OR subjects.path LIKE ANY (rule.paths))
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
# The rule that counts: of an item before those of its parents, of the nearest unit, by rank.
_CHOSEN = """
    SELECT DISTINCT ON (measured.person_id, measured.day, item_key, repository_key, folder)
           measured.person_id, measured.day, item_key, repository_key, folder, matched.rule_id, matched.category_id
    FROM measured
    JOIN matches matched USING (item_key, repository_key, folder)
    LEFT JOIN orgtree_placement placement
      ON placement.person_id = measured.person_id AND placement.ancestor_id = matched.unit_id
     AND placement.during @> measured.day
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT above.ancestor_id) AS depth FROM orgtree_unitplacement above
        WHERE above.unit_id = matched.unit_id AND above.during @> measured.day
    ) AS unit ON matched.unit_id IS NOT NULL
    WHERE matched.unit_id IS NULL OR placement.ancestor_id IS NOT NULL
    ORDER BY measured.person_id, measured.day, item_key, repository_key, folder,
             matched.is_last, matched.depth, unit.depth DESC NULLS LAST, matched.rank, matched.rule_id
"""
_ABOVE = """
    SELECT item_id,
           (array_agg(above_id ORDER BY depth) FILTER (WHERE native_type ILIKE '%%epic%%'))[1] AS epic_id,
           (array_agg(above_id ORDER BY depth) FILTER (WHERE native_type ILIKE '%%initiative%%'))[1] AS initiative_id
    FROM chain
    WHERE depth > 0
    GROUP BY item_id
"""
_CATEGORISE = f"""
    chain AS ({CHAIN}),
    lineage AS MATERIALIZED ({_LINEAGE}),
    subjects AS MATERIALIZED ({_SUBJECTS}),
    matches AS MATERIALIZED ({_MATCHES}),
    chosen AS ({_CHOSEN}),
    above AS ({_ABOVE}),
    categorised AS MATERIALIZED (
        SELECT person_id, day, measured.work_item_id, measured.repository_id, folder,
               measured.days, measured.items, measured.points, chosen.rule_id, chosen.category_id,
               above.epic_id, above.initiative_id
        FROM measured
        LEFT JOIN chosen USING (person_id, day, item_key, repository_key, folder)
        LEFT JOIN above ON above.item_id = measured.work_item_id
    )
"""  # noqa: S608  # constants of this module
_RECOMPUTE = f"""
    WITH RECURSIVE {_MEASURE}, {_CATEGORISE},
    computed AS (SELECT %(monday)s::date AS week, * FROM categorised),
    gone AS (
        DELETE FROM integrations_effort stored
        WHERE stored.week = %(monday)s
          AND NOT EXISTS (
              SELECT FROM computed
              WHERE (computed.person_id, computed.day, coalesce(computed.work_item_id, 0),
                     coalesce(computed.repository_id, 0), computed.folder)
                  = (stored.person_id, stored.day, coalesce(stored.work_item_id, 0),
                     coalesce(stored.repository_id, 0), stored.folder)
          )
    )
    {sql.upsert("integrations_effort", ", ".join(_KEY), _COLUMNS, "computed")}
"""  # noqa: S608  # constants of this module
_FIRST_DAY = """
    SELECT least(
        (SELECT min(counted_on) FROM integrations_commit),
        (SELECT min(created_at)::date FROM integrations_workitem)
    )
"""
_IN_WINDOW = """
    day >= %(from)s AND day < %(to)s
    AND (%(unit)s::bigint IS NULL OR EXISTS (
        SELECT FROM orgtree_placement placement
        WHERE placement.person_id = effort.person_id AND placement.ancestor_id = %(unit)s
          AND placement.during @> effort.day
    ))
"""
_STORED = f"""
    SELECT person_id, work_item_id, rule_id, category_id, sum(days)
    FROM integrations_effort effort WHERE {_IN_WINDOW}
    GROUP BY 1, 2, 3, 4
"""  # noqa: S608  # constants of this module
# The stored weeks of a window with other rules: what they would assign to categories.
_PREVIEW = f"""
    WITH RECURSIVE measured AS MATERIALIZED (
        SELECT person_id, day, work_item_id, repository_id, folder, days, items, points,
               coalesce(work_item_id, 0) AS item_key, coalesce(repository_id, 0) AS repository_key
        FROM integrations_effort effort WHERE {_IN_WINDOW}
    ), {_CATEGORISE}
    SELECT categorised.person_id, categorised.work_item_id, categorised.rule_id, categorised.category_id,
           sum(categorised.days)
    FROM categorised
    GROUP BY 1, 2, 3, 4
"""  # noqa: S608  # constants of this module


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def measure_effort() -> None:
    """Derive people's time by work for weeks whose facts, rules or days changed."""
    measure_stale_weeks(seconds=SWEEP_SECONDS)


def measure_stale_weeks(*, most: int | None = None, seconds: float = float("inf")) -> int:
    """Derive the effort of weeks that are stale or not over yet, the newest first; return their number."""
    _mark_by_clock()
    rules = json.dumps(stored_rules())
    stale = EffortWeek.objects.filter(stale_since__isnull=False).order_by("-week")
    return run_one_by_one(
        stale, lambda week: measure_week(week, rules), failed=_log_failure, most=most, seconds=seconds
    )


def measure_week(stale: EffortWeek, rules: str) -> None:
    """Derive the effort of the week, and append its days to the outbox, in the caller's transaction."""
    monday = stale.week
    days = working_days(monday, monday + WEEK)
    sql.execute(_RECOMPUTE, {"monday": monday, "next": monday + WEEK, "days": days, "rules": rules})
    measure_work_days(monday, days)
    append_changes([Change(FactFamily.EFFORT, monday, monday + WEEK)])
    stale.stale_since, stale.computed_at = None, timezone.now()
    stale.people_version = Organisation.current().people_version
    stale.save()


def _log_failure(stale: EffortWeek, problem: Exception) -> None:
    logger.error("The effort of the week of %s could not be derived", stale.week, exc_info=problem)


def working_days(start: date, end: date) -> list[date]:
    """The organisation's working days in [start, end), up to today."""
    last = min(end, timezone.localdate() + timedelta(days=1))
    every = [start + timedelta(days=number) for number in range((last - start).days)]
    off = days_off(Organisation.current().holidays_in, range(start.year, end.year + 1))
    return [day for day in every if day.weekday() not in off.weekend and day not in off.holidays]


def mark_changed_weeks(changes: Sequence[Change]) -> None:
    """Mark the weeks that these changes of facts touch; called in the transaction that takes them from the outbox."""
    mark_weeks((change.day_from, change.day_to) for change in changes if change.family in FEEDS)


def mark_weeks(ranges: Iterable[tuple[date, date]]) -> None:
    """Mark the weeks that contain any of these days, up to today, as stale."""
    today = timezone.localdate()
    mondays = {
        monday
        for start, end in ranges
        for monday in _mondays(max(start, today - timedelta(days=366 * 20)), min(end, today + timedelta(days=1)))
    }
    if not mondays:
        return
    EffortWeek.objects.bulk_create(
        [EffortWeek(week=monday, stale_since=Now()) for monday in sorted(mondays)],
        update_conflicts=True,
        unique_fields=["week"],
        update_fields=["stale_since"],
    )
    _nudge()


def _mondays(start: date, end: date) -> list[date]:
    first = start - timedelta(days=start.weekday())
    return [first + WEEK * number for number in range(max(0, -(-(end - first).days // 7)))] if start < end else []


def mark_all_weeks() -> None:
    """Mark every derived week as stale: rules, holidays or names changed."""
    if EffortWeek.objects.update(stale_since=Now()):
        _nudge()


def _mark_by_clock() -> None:
    """Mark weeks that gained a day since they were derived, and all weeks if people moved and units have own terms.

    An installation that had facts before weeks were derived gets all of them.
    """
    today = timezone.localdate()
    if not EffortWeek.objects.exists() and (first := sql.value(_FIRST_DAY)) is not None:
        mark_weeks([(first, today + timedelta(days=1))])
    midnight = timezone.make_aware(datetime.combine(today, time()))
    EffortWeek.objects.filter(
        Q(computed_at__lt=midnight), stale_since=None, week__gt=today - 2 * WEEK, week__lte=today
    ).exclude(computed_at=None).update(stale_since=Now())
    hours = WorkingAgreement.objects.exclude(work_starts_at=None, time_zone=None)
    if AllocationRule.objects.exclude(unit=None).exists() or hours.exists():
        version = Organisation.current().people_version
        EffortWeek.objects.filter(stale_since=None).exclude(people_version=version).update(stale_since=Now())


def _nudge() -> None:
    nudge_on_commit(measure_effort)


class PreviewRow(NamedTuple):
    person: int
    item: int | None
    rule: int | None
    category: int | None
    days: float


def stored_shares(start: date, end: date, *, unit: int | None = None) -> list[PreviewRow]:
    """The effort that is stored for the window, by person, item and rule; with a unit, that of its people alone."""
    return [PreviewRow(*row) for row in sql.rows(_STORED, {"from": start, "to": end, "unit": unit})]


def preview(rules: Sequence[dict[str, Any]], start: date, end: date, *, unit: int | None = None) -> list[PreviewRow]:
    """The stored effort of the window as these rules would assign it; with a unit, that of its people alone."""
    parameters = {"rules": json.dumps(rules), "from": start, "to": end, "unit": unit}
    return [PreviewRow(*row) for row in sql.rows(_PREVIEW, parameters)]
