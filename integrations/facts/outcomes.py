"""Spend of agent sessions by repository and work type, as a relation for the metric engine."""

from __future__ import annotations

from integrations.facts.relation import Relation

AGENT_SPEND_SHARES = Relation(
    name="agent_spend_shares",
    day="day",
    person="person_id",
    fact="session_id",
    columns=frozenset(
        {
            *("session_id", "person_id", "agent", "day", "model", "repository", "work_type"),
            *("spend", "tokens", "unpriced_tokens", "started_at", "ended_at", "committed", "covered"),
        }
    ),
    sql="""
        SELECT figures.session_id,
               identity.person_id,
               figures.agent,
               figures.day,
               figures.model,
               coalesce(repository.name, '') AS repository,
               coalesce(split.work_type, '') AS work_type,
               CASE WHEN split.session_id IS NULL THEN figures.spend
                    ELSE round(figures.spend * (split.before + split.part) / split.whole, 10)
                         - round(figures.spend * split.before / split.whole, 10) END AS spend,
               CASE WHEN split.session_id IS NULL THEN figures.tokens
                    ELSE div(figures.tokens::numeric * (split.before + split.part), split.whole)
                         - div(figures.tokens::numeric * split.before, split.whole) END::bigint AS tokens,
               CASE WHEN split.session_id IS NULL THEN figures.unpriced_tokens
                    ELSE div(figures.unpriced_tokens::numeric * (split.before + split.part), split.whole)
                         - div(figures.unpriced_tokens::numeric * split.before, split.whole) END::bigint
                   AS unpriced_tokens,
               session.started_at,
               session.ended_at,
               session.committed,
               session.covered
        FROM (
            SELECT session_id, identity_id, agent, day, model, spend, unpriced_tokens,
                   input_tokens + cache_read_tokens + cache_write_tokens + output_tokens AS tokens
            FROM integrations_agentsessionday
            WHERE counted
        ) AS figures
        JOIN orgtree_identity identity ON identity.id = figures.identity_id
        LEFT JOIN integrations_agentsession session ON session.id = figures.session_id
        LEFT JOIN (
            SELECT session_id, repository_id, work_type,
                   coalesce(weight, lines) AS part,
                   coalesce(weight_before, lines_before) AS before,
                   coalesce(weight_of_session, lines_of_session) AS whole
            FROM integrations_sessionshare
            WHERE weight IS DISTINCT FROM 0
        ) AS split ON split.session_id = figures.session_id
        LEFT JOIN integrations_repository repository ON repository.id = split.repository_id
    """,
)
"""One row per session, local day, model, repository and work type, with its share of the day.

The repositories are those that the session's telemetry names, by their tokens; without any, those of the counted
commits with its AI lines, by the lines.  Shares are rounded so that they sum to the day's spend and tokens to the last
digit.  repository is empty where neither is known; work_type is that of the pull requests that contain the session's
commits there, empty where there is none.
"""
