"""Seats of agents, as relations for the metric engine: their holders, use and cost."""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import Relation
from integrations.facts.vendors import AGENT_USE, HELD_BY_REPORTS
from integrations.models import FactFamily

LICENSED_PEOPLE = Relation(
    name="licensed_people",
    family=FactFamily.SEATS,
    day="licensed_on",
    fact="person_id",
    sql="""
        SELECT licensed.person_id,
               coalesce(min(lower(licensed.days)), '2000-01-01'::date) AS licensed_on,
               range_agg(licensed.days) AS present
        FROM (
            SELECT identity.person_id, assignment.during * plan.during AS days
            FROM integrations_seatassignment assignment
            JOIN integrations_seatplan plan ON plan.id = assignment.plan_id
            JOIN orgtree_identity identity ON identity.id = assignment.identity_id AND identity.person_id IS NOT NULL
        ) AS licensed
        WHERE NOT isempty(licensed.days)
        GROUP BY licensed.person_id
    """,
)
"""One row per person who ever had a seat of any agent, with the first day; present is a multirange of days with one."""

LICENSED_SESSIONS = Relation(
    name="licensed_sessions",
    family=FactFamily.AI,
    also=frozenset({FactFamily.SEATS}),
    fact="session_id",
    fact_is_row=True,
    sql="""
        SELECT session.id AS session_id, identity.person_id, session.agent, session.started_on AS day,
               session.started_at
        FROM integrations_agentsession session
        JOIN orgtree_identity identity ON identity.id = session.identity_id
        WHERE session.has_work AND EXISTS (
            SELECT FROM orgtree_identity name
            JOIN integrations_seatassignment assignment ON assignment.identity_id = name.id
            JOIN integrations_seatplan plan ON plan.id = assignment.plan_id
            WHERE name.person_id = identity.person_id AND plan.agent = session.agent
              AND assignment.during @> session.started_on AND plan.during @> session.started_on
        )
    """,
)
"""One row per agent session whose person had a seat of that agent on the local day on which it starts."""

# The days on which people have a seat of an agent, as admins entered or its vendor reports.
_HELD: LiteralString = f"""
    SELECT identity.person_id, plan.agent, assignment.during * plan.during AS days
    FROM integrations_seatassignment assignment
    JOIN integrations_seatplan plan ON plan.id = assignment.plan_id
    JOIN orgtree_identity identity ON identity.id = assignment.identity_id AND identity.person_id IS NOT NULL
    UNION ALL
    SELECT reported.person_id, reported.agent, daterange(reported.day, reported.until)
    FROM ({HELD_BY_REPORTS}) AS reported
"""  # noqa: S608  # constants

SEAT_HOLDERS = Relation(
    name="seat_holders",
    family=FactFamily.SEATS,
    also=frozenset({FactFamily.VENDOR, FactFamily.ENROLMENT}),
    day="licensed_on",
    fact="person_id",
    sql=f"""
        SELECT known.person_id, min(lower(known.days)) AS licensed_on, range_agg(known.days) AS present
        FROM (
            SELECT held.person_id, held.days * daterange(told.since, NULL) AS days
            FROM ({_HELD}) AS held
            CROSS JOIN LATERAL (
                SELECT least(
                    (SELECT (min(first_at) AT TIME ZONE current_setting('TimeZone'))::date
                     FROM integrations_enrolment),
                    (SELECT min(report.day)
                     FROM integrations_vendorreport report
                     JOIN integrations_vendorusage usage ON usage.report_id = report.id
                     WHERE report.deleted_at IS NULL AND usage.agent = held.agent)
                ) AS since
            ) AS told
            WHERE told.since IS NOT NULL
        ) AS known
        WHERE NOT isempty(known.days)
        GROUP BY known.person_id
    """,  # noqa: S608  # constants
)
"""One row per person who ever had a seat of any agent, as admins entered or its vendor reports; both are one seat.

present holds the days with one, from the day on which anybody's telemetry came first, or a report of that agent's
vendor: before it nobody can know who used a seat.
"""

SEAT_USE = Relation(
    name="seat_use",
    family=FactFamily.SEATS,
    also=frozenset({FactFamily.AI, FactFamily.VENDOR}),
    fact="known_from",
    fact_is_row=True,
    sql=f"""
        SELECT used.person_id, used.day, used.agent, used.known_from
        FROM ({AGENT_USE.sql}) AS used
        WHERE EXISTS (
            SELECT FROM ({_HELD}) AS held
            WHERE held.person_id = used.person_id AND held.agent = used.agent AND held.days @> used.day
        )
        UNION ALL
        SELECT reported.person_id, greatest(reported.last_used_on, reported.day - 6), reported.agent, 'vendor'
        FROM ({HELD_BY_REPORTS}) AS reported
        WHERE reported.last_used_on > reported.day - 7
    """,  # noqa: S608  # constants
)
"""The days on which people used an agent of which they have a seat, as admins entered or its vendor reports.

Telemetry, the vendor's reports of activity, and the last use that a report of seats has of the week before it tell.
"""

SEAT_DAYS = Relation(
    name="seat_days",
    family=FactFamily.SEATS,
    fact="plan_id",
    sql="""
        SELECT held.plan_id, held.person_id, held.agent, held.day,
               held.seats * held.monthly_price
                   / extract(day FROM date_trunc('month', held.day) + interval '1 month - 1 day') AS cost
        FROM (
            SELECT plan.id AS plan_id, identity.person_id, plan.agent, plan.monthly_price, days.day::date AS day,
                   1 AS seats
            FROM integrations_seatplan plan
            JOIN integrations_seatassignment assignment ON assignment.plan_id = plan.id
            JOIN orgtree_identity identity ON identity.id = assignment.identity_id
            CROSS JOIN LATERAL generate_series(
                GREATEST(lower(plan.during), lower(assignment.during), '2000-01-01')::timestamp,
                LEAST(upper(plan.during) - 1, upper(assignment.during) - 1,
                      (now() AT TIME ZONE current_setting('TimeZone'))::date)::timestamp,
                interval '1 day'
            ) AS days (day)
            UNION ALL
            SELECT plan.id, NULL, plan.agent, plan.monthly_price, days.day::date,
                   plan.seats - (
                       SELECT count(*) FROM integrations_seatassignment assignment
                       WHERE assignment.plan_id = plan.id AND assignment.during @> days.day::date
                   )
            FROM integrations_seatplan plan
            CROSS JOIN LATERAL generate_series(
                GREATEST(lower(plan.during), '2000-01-01')::timestamp,
                LEAST(upper(plan.during) - 1, (now() AT TIME ZONE current_setting('TimeZone'))::date)::timestamp,
                interval '1 day'
            ) AS days (day)
            WHERE plan.seats IS NOT NULL
        ) AS held
        WHERE held.seats > 0
    """,
)
"""One row per assigned seat and local day up to today, and one per plan and day for unassigned seats.

cost is the monthly price divided by the days of the month, in US dollars.  Rows of unassigned seats have no person_id
and count for the whole organisation.
"""

EVERYBODY = Relation(
    name="everybody",
    family=FactFamily.ENROLMENT,
    day="since",
    fact="person_id",
    sql="""
        SELECT person.id AS person_id,
               greatest(began.day, (SELECT min(lower(during)) FROM orgtree_employment there
                                    WHERE there.person_id = person.id)) AS since,
               (SELECT range_agg(during) FROM orgtree_employment there WHERE there.person_id = person.id) AS present
        FROM orgtree_person person
        CROSS JOIN (
            SELECT (min(first_at) AT TIME ZONE current_setting('TimeZone'))::date AS day
            FROM integrations_enrolment HAVING count(*) > 0
        ) AS began
    """,
)
"""One row per person, with or without a seat or telemetry.  present holds the days on which they are there.

They count from the day on which anybody's telemetry came first: before it nobody can know who used an agent.
"""
