"""Agent sessions, tokens and tool calls, as relations for the metric engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString

from integrations.facts.outcomes import AGENT_SPEND_SHARES, DAY_OF_SESSION, OF_SESSION
from integrations.facts.relation import Relation
from integrations.models import FactFamily
from integrations.outbox.fact_changes import append_days

# The name of the repository in a session's telemetry, else of the one with most of its AI lines; else empty.
_REPOSITORY_OF_SESSION: LiteralString = """coalesce((
                   SELECT repository.name FROM integrations_repository repository
                   WHERE repository.id = coalesce(session.repository_id, (
                       SELECT share.repository_id FROM integrations_sessionshare share
                       WHERE share.session_id = session.id
                       GROUP BY share.repository_id ORDER BY sum(share.lines) DESC, share.repository_id LIMIT 1
                   ))
               ), '')"""


def _models_of(session: LiteralString) -> LiteralString:
    """The models of all days on which a session used tokens, one per line; null for none.

    FILTER in place of WHERE: the planner overestimates a condition on `counted` a thousandfold, and reads without
    workers.
    """
    return f"""(
                   SELECT string_agg(DISTINCT coalesce(nullif(used.model, ''), 'unknown'), chr(10)) FILTER (
                       WHERE used.counted AND used.input_tokens + used.cache_read_tokens + used.cache_write_tokens
                                              + used.output_tokens > 0
                   )
                   FROM integrations_agentsessionday used WHERE used.session_id = {session}
               )"""  # noqa: S608  # this module's own


AGENT_SESSIONS = Relation(
    name="agent_sessions",
    fact="session_id",
    fact_is_row=True,
    sql=f"""
        SELECT session.id AS session_id,
               identity.person_id,
               session.agent,
               session.started_on AS day,
               session.started_at,
               session.ended_at,
               CASE WHEN NOT session.told_by_file AND NOT session.is_unnamed THEN session.active_seconds END
                   AS active_seconds,
               CASE WHEN NOT session.told_by_file AND NOT session.is_unnamed
                    THEN extract(epoch FROM session.ended_at - session.started_at) END AS span_seconds,
               session.committed,
               session.covered,
               session.lines_added AS lines_generated,
               CASE WHEN session.lines_added > 0 THEN session.lines_committed ELSE 0 END AS lines_shipped,
               CASE WHEN NOT session.is_unnamed THEN 1 END AS sessions,
               CASE WHEN session.is_unnamed THEN (
                   SELECT GREATEST(sum(figures.requests), 1)::bigint
                   FROM integrations_agentsessionday figures WHERE figures.session_id = session.id
               ) ELSE 0 END AS unnamed_requests,
               {_REPOSITORY_OF_SESSION} AS repository,
               {_models_of("session.id")} AS models
        FROM integrations_agentsession session
        JOIN orgtree_identity identity ON identity.id = session.identity_id
        WHERE session.has_work
    """,  # noqa: S608  # a constant
)
"""One row per agent session with any activity.  It counts on the local day on which it starts.

Records without a session id have one row per author, installation, agent and day: it says who was active, its sessions
are null, and unnamed_requests are its requests (1 where only metrics are known).  sessions is 1 in every other row.

Activity is a request, a prompt or a tool call, or tokens, lines or commits in its metrics: an agent that resumes a
session announces an id that never appears again, which is not a session.
person_id is null where the identity is unmatched.  active_seconds is the sum of the session's active periods,
span_seconds its end − start; both are null for sessions known from an imported file alone, and without a session id.
committed: a counted commit has lines of the session; covered: the person's commits are known (docs/attribution.md).
lines_generated are the lines its agent wrote; lines_shipped those found in counted commits, for agents that report
generated lines.  lines_shipped can be larger where the evidence is of commit level, or a note attests more than the
agent's own counter.
repository is the one that its telemetry names, else the one with most of its AI lines; empty where neither is known.
models are those of all its days, one a line; null where it used no tokens.
"""

AGENT_TOOL_DAYS = Relation(
    name="agent_tool_days",
    fact="session_id",
    sql=f"""
        SELECT figures.session_id,
               identity.person_id,
               figures.agent,
               figures.day,
               figures.tool,
               figures.calls AS tool_calls,
               figures.failures AS tool_failures,
               figures.refusals AS tool_refusals,
               {_REPOSITORY_OF_SESSION} AS repository,
               {_models_of("figures.session_id")} AS models
        FROM integrations_agenttoolday figures
        {OF_SESSION}
    """,  # noqa: S608  # a constant
)
"""One row per session, local day and tool.  tool_calls are those that ran (succeeded or failed).

repository and models are those of the session, as in AGENT_SESSIONS.
"""

AGENT_SESSION_DAYS = Relation(
    name="agent_session_days",
    fact="session_id",
    finer=(AGENT_SPEND_SHARES, AGENT_TOOL_DAYS),
    sql=f"""
        SELECT {DAY_OF_SESSION},
               CASE WHEN figures.counted THEN figures.requests ELSE 0 END AS requests,
               CASE WHEN figures.counted THEN figures.input_tokens ELSE 0 END AS input_tokens,
               CASE WHEN figures.counted THEN figures.cache_read_tokens ELSE 0 END AS cache_read_tokens,
               CASE WHEN figures.counted THEN figures.cache_write_tokens ELSE 0 END AS cache_write_tokens,
               CASE WHEN figures.counted THEN figures.output_tokens ELSE 0 END AS output_tokens,
               CASE WHEN figures.counted THEN figures.input_tokens + figures.cache_read_tokens
                                    + figures.cache_write_tokens ELSE 0 END AS prompt_tokens,
               CASE WHEN figures.counted THEN figures.input_tokens + figures.cache_read_tokens
                                    + figures.cache_write_tokens + figures.output_tokens ELSE 0 END AS tokens,
               figures.both_tokens,
               CASE WHEN figures.counted THEN figures.spend END AS spend,
               CASE WHEN figures.counted THEN figures.unpriced_tokens ELSE 0 END AS unpriced_tokens,
               CASE WHEN figures.counted THEN figures.reported_cost END AS reported_cost,
               CASE WHEN figures.counted THEN figures.compared_spend END AS compared_spend,
               CASE WHEN figures.counted THEN figures.compared_cost - figures.compared_spend END AS cost_difference,
               CASE WHEN figures.counted THEN figures.surcharge_1h END AS surcharge_1h,
               figures.lines_added,
               figures.lines_removed,
               figures.commits,
               figures.tool_calls,
               figures.tool_failures,
               figures.tool_refusals,
               {_models_of("figures.session_id")} AS models
        FROM integrations_agentsessionday figures
        {OF_SESSION}
    """,  # noqa: S608  # constants
)
"""One row per session, local day, model and source (events or metrics) with that day's figures.

A source has a row for the quarters of an hour in which it counts, and one for the others, without tokens, requests and
costs; only metrics have lines and commits, and only events have tool calls: a sum over the rows counts everything once.
both_tokens are those of tokens that both sources reported; rows of metrics have them.
spend is in US dollars, null where the model's price is unknown (its tokens are then in unpriced_tokens too).
cost_difference is the cost that agents report minus compared_spend, the price book's cost, over the requests with
tokens that both price; null where there are none.
surcharge_1h is what spend would be more if all cache writes of which nobody says how long they were kept were kept an
hour; null where that is known of all.
model is the normal form of the names that were sent; models are those of the session, as in AGENT_SESSIONS.
The session is a LEFT JOIN, so that the planner drops it from queries that use none of its columns.
"""

ENROLLED_PEOPLE = Relation(
    name="enrolled_people",
    family=FactFamily.ENROLMENT,
    day="enrolled_on",
    fact="person_id",
    sql="""
        SELECT person.id AS person_id,
               (min(enrolment.first_at) AT TIME ZONE current_setting('TimeZone'))::date AS enrolled_on,
               (SELECT range_agg(during) FROM orgtree_employment there WHERE there.person_id = person.id) AS present
        FROM integrations_enrolment enrolment
        JOIN orgtree_identity identity ON identity.id = enrolment.identity_id
        JOIN orgtree_person person ON person.id = identity.person_id
        GROUP BY person.id
    """,
)
"""One row per person who ever sent telemetry, with the local day of the first.

present is a multirange of the person's days of employment; null: always.
"""


_DAYS = """
    SELECT day, day + 1 FROM integrations_agentsessionday WHERE session_id = ANY (%(sessions)s)
    UNION ALL
    SELECT started_on, started_on + 1 FROM integrations_agentsession WHERE id = ANY (%(sessions)s)
"""


def append_changes_of_sessions(session_ids: Iterable[int]) -> None:
    """Append all days on which these sessions count, in the caller's transaction."""
    append_days({FactFamily.AI: _DAYS}, {"sessions": sorted(session_ids)})
