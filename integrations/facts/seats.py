"""Seats of agents, as relations for the metric engine: their holders, use and cost."""

from __future__ import annotations

from integrations.facts.relation import Relation
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
