"""Vendors' reports on their agents, and their bills next to the spend known from telemetry, as relations.

Vendors' days are in UTC, those of sessions local.  No row is looked up on a neighbouring day, so a bill and the
sessions that it covers may differ on two adjacent days while their sums over both agree.
"""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import Relation
from integrations.models import FactFamily

_REPORTED: LiteralString = """
        FROM integrations_vendorusage usage
        JOIN integrations_vendorreport report ON report.id = usage.report_id AND report.deleted_at IS NULL
        LEFT JOIN orgtree_identity identity ON identity.id = usage.person_id
"""
_TOKENS: LiteralString = """(coalesce(usage.input_tokens, 0) + coalesce(usage.cache_read_tokens, 0)
                   + coalesce(usage.cache_write_tokens, 0) + coalesce(usage.output_tokens, 0))"""

_ACTIVITY: LiteralString = """
        SELECT usage.id AS usage_id,
               identity.person_id,
               report.day,
               usage.agent,
               usage.model,
               usage.phase,
               usage.sessions,
               usage.requests,
               usage.suggestions,
               usage.acceptances,
               usage.lines_added,
               usage.credits,
               (usage.credits IS NULL)::integer AS without_credits,
               (usage.sessions IS NULL)::integer AS without_sessions
"""
# The teams of a person's agent on the day, by the reports of the same connection and owner: usage:orgs/acme and
# teams:orgs/acme.
_TEAMS: LiteralString = """
        LEFT JOIN LATERAL (
            SELECT DISTINCT member.name
            FROM integrations_vendorreport teams
            JOIN integrations_vendorusage member ON member.report_id = teams.id AND member.person_id = usage.person_id
            WHERE teams.connection_id = report.connection_id AND teams.day = report.day AND teams.content = 'teams'
              AND teams.deleted_at IS NULL AND member.agent = usage.agent
              AND split_part(teams.report, ':', 2) = split_part(report.report, ':', 2)
        ) AS team ON true
"""

VENDOR_ACTIVITY = Relation(
    name="vendor_activity",
    family=FactFamily.VENDOR,
    fact="usage_id",
    fact_is_row=True,
    sql=f"{_ACTIVITY} {_REPORTED} WHERE report.content = 'activity'",  # constants
).split_by(
    "vendor_team",
    sql=f"""
        {_ACTIVITY}, coalesce(team.name, '') AS vendor_team {_REPORTED} {_TEAMS}
        WHERE report.content = 'activity'
    """,  # constants
)
"""One row per person (or key, or project), agent and model of a vendor's report of activity, on the vendor's day.

By vendor's team: a row for each that the person was in on that day by the vendor's own report, and an empty one where
none is reported.
"""

VENDOR_PROJECTS = Relation(
    name="vendor_projects",
    family=FactFamily.VENDOR,
    fact="usage_id",
    fact_is_row=True,
    sql=f"""
        SELECT usage.id AS usage_id, identity.person_id, report.day, usage.agent, usage.people
        {_REPORTED}
        WHERE report.content = 'activity' AND usage.people IS NOT NULL
    """,  # constants
)
"""One row per day of a project whose vendor counts its people and does not name them; person_id is null."""

AGENT_USE = Relation(
    name="agent_use",
    family=FactFamily.VENDOR,
    also=frozenset({FactFamily.AI}),
    fact="known_from",
    fact_is_row=True,
    sql="""
        SELECT used.person_id, used.day, used.agent, used.known_from
        FROM (
            SELECT identity.person_id, session.started_on AS day, session.agent, 'telemetry' AS known_from
            FROM integrations_agentsession session
            JOIN orgtree_identity identity ON identity.id = session.identity_id AND identity.person_id IS NOT NULL
            WHERE session.has_work
            UNION ALL
            SELECT identity.person_id, report.day, usage.agent, 'vendor'
            FROM integrations_vendorusage usage
            JOIN integrations_vendorreport report ON report.id = usage.report_id AND report.deleted_at IS NULL
            JOIN orgtree_identity identity ON identity.id = usage.person_id AND identity.person_id IS NOT NULL
            WHERE usage.agent <> '' AND report.content IN ('activity', 'bill') AND NOT EXISTS (
                SELECT FROM integrations_agentsession session
                JOIN orgtree_identity own ON own.id = session.identity_id
                WHERE own.person_id = identity.person_id AND session.agent = usage.agent
                  AND session.started_on = report.day AND session.has_work
            )
        ) AS used
    """,
)
"""The days on which people used an agent, as telemetry tells, else as the agent's vendor reports.

known_from is telemetry or vendor; a person of whom both tell on a day counts by telemetry, which knows more of the use.
"""

# A seat lasts from the report that has it until the next one, or for a week.
HELD_BY_REPORTS: LiteralString = """
    SELECT identity.person_id, usage.agent, seats.day, seats.until, usage.last_used_on
    FROM (
        SELECT report.id, report.day,
               coalesce(lead(report.day) OVER (PARTITION BY report.connection_id, report.report ORDER BY report.day),
                        report.day + 7) AS until
        FROM integrations_vendorreport report
        WHERE report.content = 'seats' AND report.deleted_at IS NULL
    ) AS seats
    JOIN integrations_vendorusage usage ON usage.report_id = seats.id
    JOIN orgtree_identity identity ON identity.id = usage.person_id AND identity.person_id IS NOT NULL
"""

VENDOR_SEATS = Relation(
    name="vendor_seats",
    family=FactFamily.VENDOR,
    day="licensed_on",
    fact="person_id",
    sql=f"""
        SELECT held.person_id, min(held.day) AS licensed_on, range_agg(daterange(held.day, held.until)) AS present
        FROM ({HELD_BY_REPORTS}) AS held
        GROUP BY held.person_id
    """,  # noqa: S608  # constants
)
"""One row per person who ever had a seat of an agent by its vendor's reports; present holds the days with one."""

EVERYBODY_SINCE_USE = Relation(
    name="everybody_since_use",
    family=FactFamily.VENDOR,
    also=frozenset({FactFamily.ENROLMENT}),
    day="since",
    fact="person_id",
    sql="""
        SELECT person.id AS person_id,
               greatest(began.day, (SELECT min(lower(during)) FROM orgtree_employment there
                                    WHERE there.person_id = person.id)) AS since,
               (SELECT range_agg(during) FROM orgtree_employment there WHERE there.person_id = person.id) AS present
        FROM orgtree_person person
        CROSS JOIN (
            SELECT least(
                (SELECT (min(first_at) AT TIME ZONE current_setting('TimeZone'))::date FROM integrations_enrolment),
                (SELECT min(day) FROM integrations_vendorreport
                 WHERE content IN ('activity', 'bill') AND deleted_at IS NULL)
            ) AS day
        ) AS began
        WHERE began.day IS NOT NULL
    """,
)
"""One row per person, from the day on which telemetry or a vendor first told of anybody's use; like EVERYBODY."""

BILL_ENTRIES = Relation(
    name="bill_entries",
    family=FactFamily.VENDOR,
    also=frozenset({FactFamily.AI, FactFamily.ENROLMENT}),
    fact="entry",
    sql=f"""
        SELECT entry.entry, entry.person_id, entry.day, entry.agent, entry.model, entry.cause,
               entry.billed, entry.listed, entry.spend, entry.explained, entry.difference
        FROM (
            SELECT 'bill ' || billed.id, billed.person_id, billed.day, billed.agent, billed.model, part.cause,
                   part.billed, part.listed, NULL::numeric, NULL::numeric, part.difference
            FROM (
                SELECT usage.id, identity.person_id, report.day, usage.agent, usage.model,
                       usage.cost, usage.list_cost,
                       CASE WHEN usage.agent = '' THEN 'other_surface'
                            WHEN usage.level <> 'person' THEN 'no_person'
                            WHEN coalesce(enrolled.since > report.day, true) THEN 'not_instrumented'
                            ELSE 'not_reported' END AS cause,
                       round({_TOKENS} * sessions.spend / nullif(sessions.tokens, 0), 10) AS at_our_price
                {_REPORTED}
                LEFT JOIN (
                    SELECT coalesce(own.person_id, -own.id) AS whose,
                           (min(enrolment.first_at) AT TIME ZONE current_setting('TimeZone'))::date AS since
                    FROM integrations_enrolment enrolment JOIN orgtree_identity own ON own.id = enrolment.identity_id
                    GROUP BY 1
                ) AS enrolled ON enrolled.whose = coalesce(identity.person_id, -identity.id)
                LEFT JOIN LATERAL (
                    SELECT figures.agent, figures.model, sum(figures.spend) AS spend,
                           sum(figures.input_tokens + figures.cache_read_tokens + figures.cache_write_tokens
                               + figures.output_tokens) AS tokens
                    FROM integrations_agentsessionday figures
                    WHERE figures.day = report.day AND figures.counted AND figures.spend > 0
                    GROUP BY figures.agent, figures.model
                ) AS sessions ON sessions.agent = usage.agent AND sessions.model = usage.model
                WHERE report.content = 'bill' AND usage.cost IS NOT NULL AND usage.currency = 'USD'
            ) AS billed
            CROSS JOIN LATERAL (
                SELECT billed.cause, billed.cost, billed.list_cost,
                       CASE WHEN billed.cause = 'not_reported' AND billed.at_our_price IS NOT NULL
                            THEN billed.at_our_price ELSE billed.list_cost END
                UNION ALL
                SELECT 'price', NULL, NULL, billed.list_cost - billed.at_our_price
                WHERE billed.cause = 'not_reported' AND billed.at_our_price IS NOT NULL
                UNION ALL
                SELECT 'discount', NULL, NULL, billed.cost - billed.list_cost WHERE billed.cost <> billed.list_cost
            ) AS part (cause, billed, listed, difference)
            UNION ALL
            SELECT 'telemetry ' || concat_ws(' ', figures.identity_id, figures.day, figures.agent, figures.model),
                   identity.person_id, figures.day, figures.agent, figures.model,
                   CASE WHEN billing.is_reported THEN 'not_reported' ELSE 'delay' END,
                   NULL, NULL, sum(figures.spend),
                   CASE WHEN billing.is_reported THEN sum(figures.spend) END, -sum(figures.spend)
            FROM (
                SELECT billed.agent, min(billed.day) AS first_day, array_agg(DISTINCT billed.connection_id) AS vendors
                FROM (
                    SELECT DISTINCT usage.agent, report.day, report.connection_id
                    FROM integrations_vendorusage usage
                    JOIN integrations_vendorreport report ON report.id = usage.report_id AND report.deleted_at IS NULL
                    WHERE report.content = 'bill' AND usage.agent <> '' AND usage.currency = 'USD'
                ) AS billed
                GROUP BY billed.agent
            ) AS compared
            JOIN integrations_agentsessionday figures
              ON figures.agent = compared.agent AND figures.day >= compared.first_day
            JOIN orgtree_identity identity ON identity.id = figures.identity_id
            CROSS JOIN LATERAL (
                SELECT EXISTS (
                    SELECT FROM integrations_vendorreport report
                    WHERE report.day = figures.day AND report.content = 'bill' AND report.deleted_at IS NULL
                      AND report.connection_id = ANY (compared.vendors)
                ) AS is_reported
            ) AS billing
            WHERE figures.counted AND figures.spend > 0
            GROUP BY figures.identity_id, identity.person_id, figures.day, figures.agent, figures.model,
                     billing.is_reported
        ) AS entry (entry, person_id, day, agent, model, cause, billed, listed, spend, explained, difference)
    """,  # noqa: S608  # constants
)
"""Entries of bills in US dollars, and of the spend of the agents that they bill; each with the cause of its difference.

billed is what the vendor charges, listed the same before discounts; spend is that of sessions, explained the part of it
whose days the vendor has billed.  difference is an entry's part of billed − spend:

- other_surface: billed use of a product that is no agent; no_person: of an API key or service account;
- not_instrumented: of people who had sent no telemetry by that day;
- not_reported: tokens billed for the others, at the average price of the model's sessions on that day, minus the spend
  of sessions; below zero where sessions are on no bill;
- price: the same tokens at the vendor's list price minus at that average price, which depends on the mix of tokens;
- discount: charged minus listed;
- delay: spend of days of which the vendor's report is missing, or not there yet.
"""
