"""Derives what people did on each day, in their own time zone: the facts behind teams' capacity.

An act is a commit, a review, a pull request that was opened, or a move of a work item.  Its context is the work item
that it belongs to, else its repository.  Days are in the time zone of the person's attribute `time_zone`, else of their
unit's working agreement, else of the organisation.  Holidays and leave are left out, with everything done on them.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from zoneinfo import available_timezones

from core import sql
from integrations.models import WorkDay
from orgtree.models import Organisation, PersonAttribute
from orgtree.organisation.public_holidays import days_off

STARTS_AT, ENDS_AT = time(8), time(19)  # working hours, unless agreed otherwise
IDLE_DAYS = 7
WEEK = timedelta(days=7)
_TABLE = WorkDay._meta.db_table
_COLUMNS = (
    *("week", "is_weekend", "acts", "late_acts", "switches", "reviews"),
    *("in_progress", "idle", "starts", "restarts"),
)
# (person, moment, context, kind), with a day more on either side, for zones.
_ACTS = """
    SELECT identity.person_id, commit.committed_at AS at, 'commit' AS kind,
           coalesce('item ' || linked.item_id, 'repository ' || commit.home_id) AS context
    FROM integrations_commit commit
    JOIN orgtree_identity identity ON identity.id = commit.credited_id AND identity.person_id IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT min(link.work_item_id) AS item_id
        FROM integrations_pullrequestcommit part
        JOIN integrations_workitemlink link ON link.pull_request_id = part.pull_request_id
        WHERE part.sha = commit.sha
    ) AS linked ON true
    WHERE commit.counted_on >= %(monday)s - 1 AND commit.counted_on < %(next)s + 1 AND commit.set_apart = ''
    UNION ALL
    SELECT identity.person_id, stored.submitted_at, 'review',
           coalesce('item ' || linked.item_id, 'repository ' || figures.repository_id)
    FROM integrations_countedreview review
    JOIN integrations_pullrequestreview stored ON stored.id = review.review_id
    JOIN orgtree_identity identity ON identity.id = review.reviewer_id AND identity.person_id IS NOT NULL
    JOIN integrations_pullrequestfigures figures ON figures.pull_request_id = review.pull_request_id
    LEFT JOIN LATERAL (
        SELECT min(link.work_item_id) AS item_id FROM integrations_workitemlink link
        WHERE link.pull_request_id = review.pull_request_id
    ) AS linked ON true
    WHERE review.submitted_on >= %(monday)s - 1 AND review.submitted_on < %(next)s + 1
    UNION ALL
    SELECT identity.person_id, figures.opened_at, 'opened',
           coalesce('item ' || linked.item_id, 'repository ' || figures.repository_id)
    FROM integrations_pullrequestfigures figures
    JOIN orgtree_identity identity ON identity.id = figures.credited_id AND identity.person_id IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT min(link.work_item_id) AS item_id FROM integrations_workitemlink link
        WHERE link.pull_request_id = figures.pull_request_id
    ) AS linked ON true
    WHERE figures.opened_on >= %(monday)s - 1 AND figures.opened_on < %(next)s + 1 AND figures.set_apart = ''
    UNION ALL
    SELECT identity.person_id, move.at, 'move', 'item ' || move.work_item_id
    FROM integrations_workitemtransition move
    JOIN orgtree_identity identity ON identity.id = move.by_id AND identity.person_id IS NOT NULL
    WHERE move.at >= %(monday)s - 1 AND move.at < %(next)s + 1
"""
# The agreed terms of each person and day: those of the deepest unit, between trees those of the older agreement.
_TERMS = """
    SELECT agreement.id, agreement.unit_id, agreement.time_zone, agreement.work_starts_at, agreement.work_ends_at,
           days.day, (
               SELECT count(DISTINCT above.ancestor_id) FROM orgtree_unitplacement above
               WHERE above.unit_id = agreement.unit_id AND above.during @> days.day
           ) AS depth
    FROM (SELECT %(monday)s::date + number AS day FROM generate_series(-2, 8) AS number) AS days
    JOIN integrations_workingagreement agreement ON agreement.during @> days.day
"""
_AGREED = """
    SELECT DISTINCT ON (placement.person_id, terms.day) placement.person_id, terms.*
    FROM terms
    JOIN orgtree_placement placement ON placement.ancestor_id = terms.unit_id AND placement.during @> terms.day
    WHERE {known}
    ORDER BY placement.person_id, terms.day, terms.depth DESC, terms.id
"""
_ZONES = _AGREED.format(known="terms.time_zone IS NOT NULL")
_HOURS = _AGREED.format(known="terms.work_starts_at IS NOT NULL AND terms.work_ends_at IS NOT NULL")
_OWN_ZONES = """
    SELECT held.person_id, held.value, held.during
    FROM orgtree_personattribute held
    JOIN orgtree_attribute attribute ON attribute.id = held.attribute_id AND attribute.slug = 'time_zone'
    WHERE held.value = ANY (%(zones)s)
"""
_LOCAL = """
    SELECT acts.person_id, acts.kind, acts.context, acts.at, acts.at AT TIME ZONE zone.name AS local_at,
           (acts.at AT TIME ZONE zone.name)::date AS day
    FROM acts
    LEFT JOIN own_zones own ON own.person_id = acts.person_id AND own.during @> acts.at::date
    LEFT JOIN agreed_zones agreed ON agreed.person_id = acts.person_id AND agreed.day = acts.at::date
    CROSS JOIN LATERAL (SELECT coalesce(own.value, agreed.time_zone, current_setting('TimeZone'))) AS zone (name)
"""
_COUNTED = """
    SELECT in_order.person_id, in_order.day,
           count(*) AS acts,
           count(*) FILTER (
               WHERE NOT extract(isodow FROM in_order.day)::int = ANY (%(weekend)s)
                 AND NOT (local_at::time >= coalesce(hours.work_starts_at, %(starts_at)s::time)
                          AND local_at::time < coalesce(hours.work_ends_at, %(ends_at)s::time))
           ) AS late_acts,
           count(*) FILTER (WHERE context <> before) AS switches,
           count(*) FILTER (WHERE kind = 'review') AS reviews
    FROM (
        SELECT *, lag(context) OVER (PARTITION BY person_id, day ORDER BY at, kind, context) AS before FROM local
    ) AS in_order
    LEFT JOIN agreed_hours hours ON hours.person_id = in_order.person_id AND hours.day = in_order.day
    GROUP BY in_order.person_id, in_order.day
"""
# Items in progress at the end of a working day, by the person they were assigned to then.
_IN_PROGRESS = """
    SELECT working.day, figures.work_item_id, coalesce(assigned.assignee_id, figures.credited_id) AS identity_id
    FROM working
    JOIN integrations_workitemfigures figures ON figures.in_progress_days @> working.day
    JOIN integrations_workitem item ON item.id = figures.work_item_id AND item.deleted_at IS NULL
     AND item.native_type !~* '(epic|initiative)'
    LEFT JOIN LATERAL (
        SELECT assignment.assignee_id FROM integrations_workitemassignment assignment
        WHERE assignment.work_item_id = item.id AND assignment.at < working.day + 1
        ORDER BY assignment.at DESC, assignment.position DESC, assignment.id DESC
        LIMIT 1
    ) AS assigned ON true
"""
# The working days of these items on which, or in the days before which, anything happened to them.
_BUSY = """
    SELECT DISTINCT touched.work_item_id, working.day
    FROM (
        SELECT items.work_item_id, move.at FROM items JOIN integrations_workitemtransition move USING (work_item_id)
        UNION ALL
        SELECT items.work_item_id, change.at FROM items JOIN integrations_workitemchange change USING (work_item_id)
        UNION ALL
        SELECT behind.work_item_id, figures.opened_at
        FROM behind JOIN integrations_pullrequestfigures figures USING (pull_request_id)
        UNION ALL
        SELECT behind.work_item_id, part.committed_at
        FROM behind JOIN integrations_pullrequestcommit part USING (pull_request_id)
        UNION ALL
        SELECT behind.work_item_id, review.submitted_at
        FROM behind JOIN integrations_pullrequestreview review USING (pull_request_id)
    ) AS touched
    JOIN working ON touched.at >= working.day - %(idle)s + 1 AND touched.at < working.day + 1
"""
_HELD = """
    SELECT identity.person_id, in_progress.day, count(*) AS in_progress,
           count(*) FILTER (WHERE busy.work_item_id IS NULL) AS idle
    FROM in_progress
    JOIN orgtree_identity identity ON identity.id = in_progress.identity_id AND identity.person_id IS NOT NULL
    LEFT JOIN busy USING (work_item_id, day)
    GROUP BY identity.person_id, in_progress.day
"""
# Entries into progress from another category, and those of items that had been in progress before.
_ENTRIES = """
    SELECT identity.person_id, entry.at::date AS day, count(*) AS starts,
           count(*) FILTER (WHERE entry.earlier) AS restarts
    FROM (
        SELECT move.work_item_id, move.at,
               EXISTS (
                   SELECT FROM integrations_workitemtransition before
                   WHERE before.work_item_id = move.work_item_id AND before.category = 'in_progress'
                     AND (before.at, before.position, before.id) < (move.at, move.position, move.id)
               ) AS earlier,
               (
                   SELECT before.category FROM integrations_workitemtransition before
                   WHERE before.work_item_id = move.work_item_id
                     AND (before.at, before.position, before.id) < (move.at, move.position, move.id)
                   ORDER BY before.at DESC, before.position DESC, before.id DESC
                   LIMIT 1
               ) AS category_before
        FROM integrations_workitemtransition move
        WHERE move.at >= %(monday)s AND move.at < %(next)s AND move.category = 'in_progress'
    ) AS entry
    JOIN integrations_workitem item ON item.id = entry.work_item_id AND item.deleted_at IS NULL
    JOIN integrations_workitemfigures figures ON figures.work_item_id = entry.work_item_id
    LEFT JOIN LATERAL (
        SELECT assignment.assignee_id FROM integrations_workitemassignment assignment
        WHERE assignment.work_item_id = entry.work_item_id AND assignment.at::date <= entry.at::date
        ORDER BY assignment.at DESC, assignment.position DESC, assignment.id DESC
        LIMIT 1
    ) AS assigned ON true
    JOIN orgtree_identity identity ON identity.id = coalesce(assigned.assignee_id, figures.credited_id)
    WHERE identity.person_id IS NOT NULL AND entry.category_before IS DISTINCT FROM 'in_progress'
    GROUP BY identity.person_id, entry.at::date
"""
RECOMPUTE = f"""
    WITH working AS MATERIALIZED (SELECT unnest(%(days)s::date[]) AS day),
    terms AS MATERIALIZED ({_TERMS}),
    agreed_zones AS MATERIALIZED ({_ZONES}),
    agreed_hours AS MATERIALIZED ({_HOURS}),
    own_zones AS MATERIALIZED ({_OWN_ZONES}),
    acts AS MATERIALIZED ({_ACTS}),
    local AS MATERIALIZED ({_LOCAL}),
    counted AS MATERIALIZED ({_COUNTED}),
    in_progress AS MATERIALIZED ({_IN_PROGRESS}),
    items AS MATERIALIZED (SELECT DISTINCT work_item_id FROM in_progress),
    behind AS MATERIALIZED (
        SELECT DISTINCT items.work_item_id, link.pull_request_id
        FROM items JOIN integrations_workitemlink link USING (work_item_id)
        JOIN integrations_pullrequestfigures figures USING (pull_request_id)
    ),
    busy AS MATERIALIZED ({_BUSY}),
    held AS MATERIALIZED ({_HELD}),
    entries AS MATERIALIZED ({_ENTRIES}),
    computed AS MATERIALIZED (
        SELECT person_id, day, %(monday)s::date AS week,
               extract(isodow FROM day)::int = ANY (%(weekend)s) AS is_weekend,
               coalesce(counted.acts, 0) AS acts, coalesce(counted.late_acts, 0) AS late_acts,
               coalesce(counted.switches, 0) AS switches, coalesce(counted.reviews, 0) AS reviews,
               coalesce(held.in_progress, 0) AS in_progress, coalesce(held.idle, 0) AS idle,
               coalesce(entries.starts, 0) AS starts, coalesce(entries.restarts, 0) AS restarts
        FROM counted
        FULL JOIN held USING (person_id, day)
        FULL JOIN entries USING (person_id, day)
        WHERE day >= %(monday)s AND day < %(next)s AND NOT day = ANY (%(holidays)s::date[])
          AND NOT EXISTS (
              SELECT FROM orgtree_leave away WHERE away.person_id = coalesce(counted.person_id, held.person_id,
                  entries.person_id) AND away.during @> coalesce(counted.day, held.day, entries.day)
          )
    ),
    gone AS (
        DELETE FROM {_TABLE} stored
        WHERE stored.week = %(monday)s
          AND NOT EXISTS (
              SELECT FROM computed WHERE (computed.person_id, computed.day) = (stored.person_id, stored.day)
          )
    )
    {sql.upsert(_TABLE, "person_id, day", _COLUMNS, "computed")}
"""  # noqa: S608  # constants of this module


def measure_work_days(monday: date, days: list[date]) -> None:
    """Derive the work days of a week, whose past working days are `days`, in the caller's transaction."""
    off = days_off(Organisation.current().holidays_in, range(monday.year, (monday + WEEK).year + 1))
    own = PersonAttribute.objects.filter(attribute__slug="time_zone").values_list("value", flat=True).distinct()
    sql.execute(
        RECOMPUTE,
        {
            "monday": monday,
            "next": monday + WEEK,
            "days": days,
            "holidays": sorted(day for day in off.holidays if monday <= day < monday + WEEK),
            "weekend": [weekday + 1 for weekday in sorted(off.weekend)],
            "zones": sorted(available_timezones().intersection(own)),
            "starts_at": STARTS_AT,
            "ends_at": ENDS_AT,
            "idle": IDLE_DAYS,
        },
    )
