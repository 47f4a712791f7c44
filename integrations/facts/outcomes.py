"""Spend of agent sessions by repository and work type, and by part, as relations for the metric engine.

Begins with the SQL that all relations of a session's days share, those of integrations/facts/ai.py as well.
"""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import Kinds, Relation

# Columns of a session's day, and their joins.  The caller provides the day, or a part of one, as `figures`.
DAY_OF_SESSION: LiteralString = """
               figures.session_id,
               identity.person_id,
               figures.agent,
               figures.day,
               figures.model,
               session.started_at,
               session.ended_at,
               session.committed,
               session.covered
"""
OF_SESSION: LiteralString = """
        JOIN orgtree_identity identity ON identity.id = figures.identity_id
        LEFT JOIN integrations_agentsession session ON session.id = figures.session_id
"""
PARTS_OF_SESSIONS: LiteralString = """
    SELECT session_id, repository_id, work_type,
           coalesce(weight, lines) AS part,
           coalesce(weight_before, lines_before) AS before,
           coalesce(weight_of_session, lines_of_session) AS whole
    FROM integrations_sessionshare
    WHERE weight IS DISTINCT FROM 0
"""
"""The parts of sessions by repository and work type: from `before` to `before` + `part` of the `whole`."""


def _share_of_tokens(tokens: LiteralString) -> LiteralString:
    return f"""CASE WHEN split.session_id IS NULL THEN {tokens}
                    ELSE div({tokens}::numeric * (split.before + split.part), split.whole)
                         - div({tokens}::numeric * split.before, split.whole) END::bigint"""


TOKEN_KINDS = Kinds(
    "token_kind",
    "tokens",
    {
        "input": "input_tokens",
        "cache_read": "cache_read_tokens",
        "cache_write": "cache_write_tokens",
        "output": "output_tokens",
    },
)

AGENT_SPEND_SHARES = Relation(
    name="agent_spend_shares",
    fact="session_id",
    kinds=TOKEN_KINDS,
    sql=f"""
        SELECT {DAY_OF_SESSION},
               coalesce(repository.name, '') AS repository,
               coalesce(split.work_type, '') AS work_type,
               CASE WHEN split.session_id IS NULL THEN figures.spend
                    ELSE round(figures.spend * (split.before + split.part) / split.whole, 10)
                         - round(figures.spend * split.before / split.whole, 10) END AS spend,
               {_share_of_tokens("figures.tokens")} AS tokens,
               {_share_of_tokens("figures.unpriced_tokens")} AS unpriced_tokens,
               {_share_of_tokens("figures.input_tokens")} AS input_tokens,
               {_share_of_tokens("figures.cache_read_tokens")} AS cache_read_tokens,
               {_share_of_tokens("figures.cache_write_tokens")} AS cache_write_tokens,
               {_share_of_tokens("figures.output_tokens")} AS output_tokens
        FROM (
            SELECT session_id, identity_id, agent, day, model, spend, unpriced_tokens,
                   input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
                   input_tokens + cache_read_tokens + cache_write_tokens + output_tokens AS tokens
            FROM integrations_agentsessionday
            WHERE counted
        ) AS figures
        {OF_SESSION}
        LEFT JOIN ({PARTS_OF_SESSIONS}) AS split ON split.session_id = figures.session_id
        LEFT JOIN integrations_repository repository ON repository.id = split.repository_id
    """,  # noqa: S608  # a constant
)
"""One row per session, local day, model, repository and work type, with its share of the day.

The repositories are those that the session's telemetry names, by their tokens; without any, those of the counted
commits with its AI lines, by the lines.  Shares are rounded so that they sum to the day's spend and tokens to the last
digit, those of a kind of token (uncached input, read from a cache, written to one, output with reasoning) to the day's
of that kind.  repository is empty where neither is known; work_type is that of the pull requests that contain the
session's commits there, empty where there is none.
"""

AGENT_SPEND_PARTS = Relation(
    name="agent_spend_parts",
    fact="session_id",
    sql=f"""
        SELECT {DAY_OF_SESSION},
               figures.skill,
               figures.sub_agent,
               figures.plugin,
               figures.mcp_server,
               figures.effort,
               figures.query_source,
               figures.provider,
               figures.spend,
               figures.tokens,
               figures.unpriced_tokens
        FROM (
            SELECT figures.session_id, figures.identity_id, figures.agent, figures.day, figures.model,
                   request.skill, request.sub_agent, request.plugin, request.mcp_server, request.effort,
                   request.query_source, request.provider,
                   sum(request.spend) AS spend,
                   sum(request.used)::bigint AS tokens,
                   coalesce(sum(request.used) FILTER (WHERE request.spend IS NULL), 0)::bigint AS unpriced_tokens
            FROM integrations_agentsessionday figures
            JOIN (
                SELECT *, input_tokens + cache_read_tokens + cache_write_tokens + output_tokens AS used
                FROM integrations_agentrequest
            ) AS request
              ON request.session_id = figures.session_id AND request.counted
             AND request.at >= (figures.day::timestamp AT TIME ZONE current_setting('TimeZone'))
                               - interval '2 hours'
             AND request.at < ((figures.day + 1)::timestamp AT TIME ZONE current_setting('TimeZone'))
                              + interval '2 hours'
             AND (request.at AT TIME ZONE current_setting('TimeZone'))::date = figures.day
            LEFT JOIN integrations_keptpricelist named ON named.model = request.model AND named.name <> ''
            WHERE figures.source = 'events' AND figures.counted
              AND coalesce(named.name, request.model) = figures.model
            GROUP BY figures.session_id, figures.identity_id, figures.agent, figures.day, figures.model,
                     request.model, request.skill, request.sub_agent, request.plugin, request.mcp_server,
                     request.effort, request.query_source, request.provider
            UNION ALL
            SELECT session_id, identity_id, agent, day, model, '', '', '', '', '', '', '', spend,
                   input_tokens + cache_read_tokens + cache_write_tokens + output_tokens,
                   unpriced_tokens
            FROM integrations_agentsessionday
            WHERE source <> 'events' AND counted
        ) AS figures
        {OF_SESSION}
    """,  # noqa: S608  # constants
)
"""One row per session, local day, model as it was sent and combination of parts: AGENT_SESSION_DAYS by request.

A part is empty where telemetry does not say it; metrics and imported files never do.  A local midnight may occur twice,
hence the two hours.  Days name models by their normal forms.  Requests are joined, not looked up for each day: where
few days have any, the planner reads those instead of asking an index about every day.
"""
