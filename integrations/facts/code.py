"""Committed code and its AI lines, as relations for the metric engine.

Only counted commits: each change once, without merges, bulk commits and bots.  Only counted files: without generated,
vendored, minified, lock and binary ones.  A commit in several repositories counts in one of them, its home.

A commit counts for its author, or, if that is a coding agent, for the person who asked it; if nobody is known to have
asked, it belongs to an autonomous agent, is credited to nobody, and counts for the owner of its home.

Optional columns come from LEFT JOINs by primary key, which the planner drops from queries that do not use them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import LiteralString

from integrations.facts.relation import Relation
from integrations.models import FactFamily

_COMMIT: LiteralString = """commit.id AS commit_id,
               identity.person_id,
               commit.home_id AS repository_id,
               commit.credited_id IS NULL AS is_autonomous,
               commit.counted_on AS day,
               commit.sha,
               repository.name AS repository"""
_OF_COMMIT: LiteralString = """LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
        LEFT JOIN integrations_repository repository ON repository.id = commit.home_id"""

COMMITTED_FILES = Relation(
    name="committed_files",
    family=FactFamily.CODE,
    credited_to_owner=True,
    fact="commit_id",
    part="file_id",
    sql=f"""
        SELECT {_COMMIT},
               file.id AS file_id,
               file.path,
               file.language,
               file.file_type,
               file.added AS lines_added
        FROM integrations_commit commit
        JOIN integrations_commitfile file ON file.commit_id = commit.id AND file.set_apart = ''
        {_OF_COMMIT}
        WHERE commit.set_apart = ''
    """,  # noqa: S608  # constants
)
"""One row per counted file of a counted commit.  It counts on the local day of the committer time.

person_id is null where the author is unmatched, or an autonomous agent.
lines_added is null where git could not read the commit's objects.
"""

AI_COMMITTED_FILES = Relation(
    name="ai_committed_files",
    family=FactFamily.CODE,
    credited_to_owner=True,
    fact="commit_id",
    part="file_id",
    sql=f"""
        SELECT {_COMMIT},
               attribution.file_id,
               file.path,
               file.language,
               file.file_type,
               file.added AS lines_added,
               attribution.agent,
               attribution.model,
               attribution.session_id,
               attribution.method,
               attribution.ai_lines,
               CASE WHEN attribution.level = 'line' THEN attribution.ai_lines ELSE 0 END AS ai_lines_by_line
        FROM integrations_commit commit
        JOIN integrations_fileattribution attribution ON attribution.commit_id = commit.id
        LEFT JOIN integrations_commitfile file ON file.id = attribution.file_id
        {_OF_COMMIT}
        WHERE commit.set_apart = ''
    """,  # noqa: S608  # constants
)
"""One row per counted file, agent, session and method, with that agent's lines.

Files that do not count have no attribution.  ai_lines is an upper bound where the evidence is of commit level;
ai_lines_by_line counts line-level evidence alone.
"""

COMMITTED_LINES = Relation(
    name="committed_lines",
    family=FactFamily.CODE,
    credited_to_owner=True,
    fact="commit_id",
    fact_is_row=True,
    finer=(COMMITTED_FILES,),
    detail=COMMITTED_FILES,
    sql=f"""
        SELECT {_COMMIT},
               commit.lines_added
        FROM integrations_commit commit
        {_OF_COMMIT}
        WHERE commit.set_apart = '' AND commit.file_count > 0
    """,  # noqa: S608  # constants
)
"""COMMITTED_FILES by commit: the same sum from a fraction of the rows, for queries without columns of files."""

COMMITS = Relation(
    name="commits",
    family=FactFamily.CODE,
    open_as_in_tools=True,
    credited_to_owner=True,
    fact="commit_id",
    fact_is_row=True,
    sql=f"""
        SELECT {_COMMIT},
               commit.subject,
               CASE WHEN commit.by_agent <> ''
                      OR EXISTS (SELECT FROM integrations_fileattribution part WHERE part.commit_id = commit.id)
                      OR NOT commit.lines_known AND EXISTS (
                             SELECT FROM integrations_commitevidence evidence
                             WHERE evidence.commit_id = commit.id AND evidence.withdrawn_at IS NULL
                               AND evidence.agent <> ''
                         )
                    THEN 'AI' ELSE 'Non-AI' END AS assistance
        FROM integrations_commit commit
        {_OF_COMMIT}
        WHERE commit.set_apart = ''
    """,  # noqa: S608  # constants
)
"""One row per counted commit.

assistance is AI where an agent contributed: attributed lines, evidence where lines are unknown, or an agent as the
author; it is computed only by queries that use it.
"""


def _limited_to_enrolled(relation: Relation) -> Relation:
    """The relation's rows of enrolled people, from their first telemetry on; without autonomous agents."""
    return replace(
        relation,
        name=f"{relation.name}_of_enrolled",
        also=frozenset({FactFamily.ENROLMENT}),
        credited_to_owner=False,
        finer=(),
        detail=_limited_to_enrolled(relation.detail) if relation.detail else None,
        sql=f"""
        SELECT {", ".join(f"code.{name}" for name in sorted(relation.columns))}
        FROM ({relation.sql}) AS code
        JOIN (
            SELECT who.person_id, (min(enrolment.first_at) AT TIME ZONE current_setting('TimeZone'))::date AS since
            FROM integrations_enrolment enrolment
            JOIN orgtree_identity who ON who.id = enrolment.identity_id
            WHERE who.person_id IS NOT NULL
            GROUP BY who.person_id
        ) AS enrolled ON enrolled.person_id = code.person_id AND enrolled.since <= code.day
        """,  # noqa: S608  # this module's own
    )


COMMITTED_LINES_OF_ENROLLED = _limited_to_enrolled(COMMITTED_LINES)
AI_COMMITTED_FILES_OF_ENROLLED = _limited_to_enrolled(AI_COMMITTED_FILES)

AGENT_REPOSITORIES = Relation(
    name="agent_repositories",
    family=FactFamily.CODE,
    also=frozenset({FactFamily.CLONE}),
    credited_to_owner=True,
    fact="repository_id",
    sql="""
        SELECT active.repository_id,
               active.person_id,
               active.is_autonomous,
               active.day,
               active.agent,
               repository.name AS repository,
               context.days AS context_file_days
        FROM (
            SELECT DISTINCT commit.home_id AS repository_id,
                            identity.person_id,
                            commit.credited_id IS NULL AS is_autonomous,
                            commit.counted_on AS day,
                            attribution.agent
            FROM integrations_commit commit
            JOIN integrations_fileattribution attribution ON attribution.commit_id = commit.id
            LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
            WHERE commit.set_apart = ''
        ) AS active
        JOIN integrations_repository repository ON repository.id = active.repository_id
        LEFT JOIN (
            SELECT repository_id, range_agg(daterange(present_from, present_to)) AS days
            FROM integrations_contextfile
            GROUP BY repository_id
        ) AS context ON context.repository_id = active.repository_id
    """,
)
"""Agents at work in repositories: one row per repository, person, day and agent with an attributed commit.

context_file_days are the days (a multirange, null: none) on which the repository had any agent context file.
"""
