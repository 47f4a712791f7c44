"""Decide which imported rows count: those of sessions and days without any other source.

An agent's own telemetry takes precedence: a file's sessions do not count if telemetry reported them, nor do its days if
telemetry reported any tokens of that person on them.  Among files, sessions take precedence over days, and days over
blocks of hours.  Later telemetry, or another file, marks the person's rows, which are then recomputed completely, so
recomputing is idempotent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from celery import signature
from django.db import transaction

from core import sql
from core.locks import Lock
from core.nudges import nudge_on_commit
from integrations.models import AgentSessionDay, FactFamily, ImportedUsage
from integrations.outbox.fact_changes import announce_changes, append_days
from integrations.telemetry.enrolment import enrol
from integrations.telemetry.prices.library import save_price_snapshots
from integrations.telemetry.prices.summed_days import price_summed_days
from orgtree.organisation.people_version import raise_people_version

USAGE = Lock("usage files")
# By name: the task imports this module.
RECOMPUTE_USAGE = signature("integrations.telemetry.tasks.recompute_imported_usage")


def recompute_usage() -> int:
    """Recompute all rows of each person and agent with a marked row; returns the number of rebuilt days."""
    with transaction.atomic():
        USAGE.hold()
        sql.execute(GATHER)
        if not sql.value("SELECT count(*) FROM usage_candidate"):
            return 0
        sql.execute(TAKE_AWAY)
        sql.execute(MAKE_SESSIONS)
        sql.execute(POINT_AT_SESSIONS)
        rebuilt = _make_days(sql.column(COUNTED_SESSIONS))
        sql.execute(FORGET_EMPTY_SESSIONS)
        is_anybody_new = enrol(SEEN)
        append_days({FactFamily.AI: CHANGED_DAYS}, {})
        announce_changes()
        if is_anybody_new:
            raise_people_version()
        return rebuilt


def rebuild_file_days(sessions: Sequence[int]) -> int:
    """Rebuild the days of these sessions from imported rows, in the caller's transaction; returns their number."""
    AgentSessionDay.objects.filter(session_id__in=sessions, source=AgentSessionDay.Source.FILES).delete()
    return _make_days(sessions)


def _make_days(sessions: Sequence[int]) -> int:
    used = ImportedUsage.objects.filter(session_id__in=sessions)
    save_price_snapshots(used.values_list("model", flat=True).distinct())
    days = sql.column(MAKE_DAYS, {"sessions": list(sessions)})
    price_summed_days(days)
    return len(days)


def recompute_all_usage() -> int:
    """Mark and recompute all rows, for another time zone; return the number of rebuilt days.

    An interrupted run is completed by the next sweep.
    """
    ImportedUsage.objects.update(to_settle=True)
    return recompute_usage()


def mark_usage_of_fold() -> None:
    """Mark the imported rows of all people and agents in a fold, in its transaction."""
    marked = sql.execute(MARK)
    if marked:
        nudge_on_commit(RECOMPUTE_USAGE)


MARK: LiteralString = """
    UPDATE integrations_importedusage usage SET to_settle = true
    WHERE NOT to_settle AND usage.id IN (
        SELECT candidate.id
        FROM (SELECT DISTINCT identity_id, agent FROM fold_session) AS touched
        JOIN orgtree_identity author ON author.id = touched.identity_id
        JOIN orgtree_identity name ON name.id = author.id OR name.person_id = author.person_id
        JOIN integrations_importedusage candidate ON candidate.identity_id = name.id AND candidate.agent = touched.agent
    )
"""

# One row per imported row of a person and agent with a marked row.  `author` is the person, or an unmatched identity;
# `counts` is whether there is no other source.
GATHER: LiteralString = """
    CREATE TEMPORARY TABLE IF NOT EXISTS usage_candidate (
        usage_id bigint, author bigint, identity_id bigint, agent text, form text, key text, session_key text, day date,
        day_from date, day_to date, counts boolean
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS changed_day (day date) ON COMMIT DELETE ROWS;
    TRUNCATE usage_candidate, changed_day;
    WITH author AS (
        SELECT id AS identity_id, coalesce(person_id, -id) AS author FROM orgtree_identity
    ), marked AS (
        SELECT DISTINCT author.author, usage.agent
        FROM integrations_importedusage usage JOIN author USING (identity_id)
        WHERE usage.to_settle
    )
    INSERT INTO usage_candidate
    SELECT usage.id, author.author, usage.identity_id, usage.agent, usage.form, usage.key,
           CASE usage.form WHEN 'session' THEN usage.key ELSE 'ccusage ' || usage.key END, local.day,
           LEAST((usage.started_at AT TIME ZONE current_setting('TimeZone'))::date, usage.first_day, local.day),
           GREATEST((usage.ended_at AT TIME ZONE current_setting('TimeZone'))::date, local.day),
           true
    FROM marked
    JOIN author USING (author)
    JOIN integrations_importedusage usage ON usage.identity_id = author.identity_id AND usage.agent = marked.agent
    CROSS JOIN LATERAL (
        SELECT coalesce(
            (CASE usage.form WHEN 'session' THEN usage.ended_at WHEN 'block' THEN usage.started_at END
             AT TIME ZONE current_setting('TimeZone'))::date,
            usage.day
        ) AS day
    ) AS local;

    -- sessions in the telemetry of the agent
    UPDATE usage_candidate candidate SET counts = false
    WHERE form = 'session' AND EXISTS (
        SELECT FROM orgtree_identity name
        JOIN integrations_agentsession session ON session.identity_id = name.id
        WHERE coalesce(name.person_id, -name.id) = candidate.author AND session.agent = candidate.agent
          AND session.external_id = candidate.key AND (session.event_tokens > 0 OR session.metric_tokens > 0)
    );
    -- days and blocks with tokens in its telemetry
    UPDATE usage_candidate candidate SET counts = false
    WHERE form <> 'session' AND EXISTS (
        SELECT FROM orgtree_identity name
        JOIN integrations_agentsessionday day ON day.identity_id = name.id
        WHERE coalesce(name.person_id, -name.id) = candidate.author AND day.agent = candidate.agent
          AND day.source <> 'files' AND day.day BETWEEN candidate.day_from AND candidate.day_to
          AND day.input_tokens + day.cache_read_tokens + day.cache_write_tokens + day.output_tokens > 0
    );
    -- days within imported sessions, and blocks within either
    UPDATE usage_candidate candidate SET counts = false
    WHERE form <> 'session' AND EXISTS (
        SELECT FROM usage_candidate other
        WHERE other.author = candidate.author AND other.agent = candidate.agent
          AND (other.form = 'session' OR (other.form = 'day' AND candidate.form = 'block'))
          AND other.day_from <= candidate.day_to AND other.day_to >= candidate.day_from
    );
    -- the same key under two names of one person: the first
    UPDATE usage_candidate candidate SET counts = false
    WHERE EXISTS (
        SELECT FROM usage_candidate other
        WHERE other.author = candidate.author AND other.agent = candidate.agent AND other.form = candidate.form
          AND other.key = candidate.key AND other.identity_id < candidate.identity_id
    );
    UPDATE integrations_importedusage usage SET to_settle = false, day = candidate.day
    FROM usage_candidate candidate
    WHERE usage.id = candidate.usage_id AND (usage.to_settle OR usage.day <> candidate.day)
"""

TAKE_AWAY: LiteralString = """
    WITH gone AS (
        DELETE FROM integrations_agentsessionday day
        USING integrations_importedusage usage, usage_candidate candidate
        WHERE candidate.usage_id = usage.id AND day.session_id = usage.session_id AND day.source = 'files'
        RETURNING day.identity_id, day.day
    )
    INSERT INTO changed_day SELECT DISTINCT day FROM gone
"""

MAKE_SESSIONS: LiteralString = """
    INSERT INTO integrations_agentsession AS session (
        agent, external_id, identity_id, started_at, ended_at, started_on, has_work, told_by_file
    )
    SELECT candidate.agent, candidate.session_key, candidate.identity_id,
           min(coalesce(
               usage.started_at, (candidate.day_from + time '12:00') AT TIME ZONE current_setting('TimeZone')
           )),
           max(coalesce(
               usage.ended_at, (candidate.day_to + time '12:00') AT TIME ZONE current_setting('TimeZone')
           )),
           min(candidate.day_from), true, true
    FROM usage_candidate candidate JOIN integrations_importedusage usage ON usage.id = candidate.usage_id
    WHERE candidate.counts
    GROUP BY candidate.agent, candidate.session_key, candidate.identity_id
    ON CONFLICT (agent, external_id, identity_id) DO UPDATE
    SET started_at = excluded.started_at, ended_at = excluded.ended_at, started_on = excluded.started_on
    WHERE session.told_by_file
"""

POINT_AT_SESSIONS: LiteralString = """
    UPDATE integrations_importedusage usage
    SET session_id = session.id
    FROM usage_candidate candidate
    LEFT JOIN integrations_agentsession session
      ON candidate.counts AND session.agent = candidate.agent AND session.external_id = candidate.session_key
     AND session.identity_id = candidate.identity_id
    WHERE usage.id = candidate.usage_id AND usage.session_id IS DISTINCT FROM session.id
"""

COUNTED_SESSIONS: LiteralString = """
    SELECT DISTINCT usage.session_id
    FROM usage_candidate candidate JOIN integrations_importedusage usage ON usage.id = candidate.usage_id
    WHERE candidate.counts
"""

MAKE_DAYS: LiteralString = """
    INSERT INTO integrations_agentsessionday (
        session_id, identity_id, agent, source, counted, day, model, requests, input_tokens, cache_read_tokens,
        cache_write_tokens, output_tokens, unpriced_tokens, reported_cost, lines_added, lines_removed, tool_calls,
        tool_failures, tool_refusals, commits
    )
    SELECT usage.session_id, usage.identity_id, usage.agent, 'files', true, usage.day,
           coalesce(named.name, usage.model), 0,
           sum(usage.input_tokens), sum(usage.cache_read_tokens), sum(usage.cache_write_tokens),
           sum(usage.output_tokens),
           sum(usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens + usage.output_tokens),
           sum(usage.reported_cost), 0, 0, 0, 0, 0, 0
    FROM integrations_importedusage usage
    LEFT JOIN integrations_keptpricelist named ON named.model = usage.model AND named.name <> ''
    WHERE usage.session_id = ANY (%(sessions)s)
    GROUP BY usage.session_id, usage.identity_id, usage.agent, usage.day, coalesce(named.name, usage.model)
    RETURNING id
"""

FORGET_EMPTY_SESSIONS: LiteralString = """
    WITH touched AS (
        SELECT DISTINCT session.id
        FROM usage_candidate candidate
        JOIN integrations_agentsession session
          ON session.agent = candidate.agent AND session.external_id = candidate.session_key
         AND session.identity_id = candidate.identity_id
        WHERE session.told_by_file
    ), native AS (
        UPDATE integrations_agentsession session SET told_by_file = false
        FROM touched
        WHERE session.id = touched.id AND (session.event_tokens > 0 OR session.metric_tokens > 0)
        RETURNING session.id
    )
    DELETE FROM integrations_agentsession session
    USING touched
    WHERE session.id = touched.id AND session.id NOT IN (SELECT id FROM native)
      AND NOT EXISTS (SELECT FROM integrations_agentsessionday day WHERE day.session_id = session.id)
      AND isempty(session.event_stretches) AND isempty(session.metric_stretches)
"""

SEEN: LiteralString = """
    SELECT identity_id, min(day_from)::timestamp AT TIME ZONE current_setting('TimeZone')
    FROM usage_candidate WHERE counts GROUP BY identity_id
"""

CHANGED_DAYS: LiteralString = """
    SELECT day, day + 1 FROM changed_day
    UNION ALL SELECT day, day + 1 FROM usage_candidate
    UNION ALL SELECT day_from, day_from + 1 FROM usage_candidate
    -- what an agent's own telemetry says of other days of a session names its models
    UNION ALL SELECT figures.day, figures.day + 1
    FROM usage_candidate candidate
    JOIN integrations_agentsession session
      ON session.agent = candidate.agent AND session.external_id = candidate.session_key
     AND session.identity_id = candidate.identity_id
    JOIN integrations_agentsessionday figures ON figures.session_id = session.id AND figures.source <> 'files'
"""
