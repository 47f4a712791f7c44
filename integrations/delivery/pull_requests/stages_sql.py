"""The SQL of pull requests' stages and figures, for many at once: parts of one statement (figures_sql.py).

Each part describes its rows.  `selected` are the pull requests, and `id` is always theirs.
"""

from __future__ import annotations

from typing import LiteralString

STALE_AFTER_DAYS = 14  # without a push, a review or a change of state

# Bots among authors, requesters, reviewers and committers: by name, or as set by an admin.
BOTS: LiteralString = r"""
    SELECT identity.id, identity.value
    FROM orgtree_identity identity
    WHERE identity.id IN (
              SELECT author_id FROM integrations_pullrequest WHERE id = ANY (%(ids)s)
              UNION
              SELECT requested_by_id FROM integrations_pullrequest WHERE id = ANY (%(ids)s)
              UNION
              SELECT author_id FROM integrations_pullrequestreview WHERE pull_request_id = ANY (%(ids)s)
              UNION
              SELECT author_id FROM integrations_pullrequestcommit WHERE pull_request_id = ANY (%(ids)s)
          )
      AND (identity.standing = 'bot' OR (identity.kind = 'installation' AND identity.provider LIKE '%%-bot')
           OR identity.kind = 'login'
              AND regexp_replace(lower(identity.value), '\[bot\]$', '') = ANY (%(review_bots)s))
"""

# The account that a pull request is credited to: one row per pull request.  A request by a bot credits nobody.
SELECTED: LiteralString = """
    bot AS (
        SELECT * FROM unnest(%(bots)s::bigint[], %(agents)s::text[]) AS bot (identity_id, agent)
    ), selected AS MATERIALIZED (
        SELECT pull_request.id, pull_request.repository_id, pull_request.author_id, pull_request.merged_by_id,
               pull_request.state, pull_request.ready_at AS opened_at, pull_request.merged_at,
               CASE WHEN pull_request.merged_at IS NOT NULL THEN pull_request.merged_at
                    WHEN pull_request.state <> 'open' THEN pull_request.closed_at END AS ended_at,
               pull_request.title, pull_request.source_branch, pull_request.labels,
               nullif(pull_request.merge_sha, '') AS merge_sha,
               pull_request.head_sha, pull_request.commit_count,
               pull_request.additions + pull_request.deletions AS provided_size, pull_request.changed_files,
               coalesce(pull_request.comment_count + pull_request.review_comment_count,
                        pull_request.comment_count, pull_request.review_comment_count) AS comment_count,
               pull_request.work_type, author.person_id AS author_person, nullif(bot.agent, '') AS author_agent,
               CASE WHEN bot.agent <> '' THEN asker.id ELSE pull_request.author_id END AS credited_id,
               bot.agent <> '' AND asker.id IS NULL AS is_autonomous,
               CASE WHEN pull_request.deleted_at IS NOT NULL THEN 'deleted'
                    WHEN bot.agent = '' THEN 'bot' ELSE '' END AS set_apart
        FROM integrations_pullrequest pull_request
        LEFT JOIN orgtree_identity author ON author.id = pull_request.author_id
        LEFT JOIN bot ON bot.identity_id = pull_request.author_id
        LEFT JOIN orgtree_identity asker
               ON asker.id = pull_request.requested_by_id
              AND NOT EXISTS (SELECT FROM bot WHERE bot.identity_id = pull_request.requested_by_id)
        WHERE pull_request.id = ANY (%(ids)s)
    )
"""

# The reviews that count.  A dismissed review still ends pickup, but is no approval.
# An unknown account (null) is a different person from a known author.
REVIEWS: LiteralString = """
    review AS (
        SELECT review.id AS review_id, selected.id, review.author_id, reviewer.person_id, review.state,
               review.submitted_at
        FROM selected
        JOIN integrations_pullrequestreview review ON review.pull_request_id = selected.id
        LEFT JOIN orgtree_identity reviewer ON reviewer.id = review.author_id
        WHERE review.state IN ('approved', 'changes_requested', 'commented', 'dismissed')
          AND (selected.merged_at IS NULL OR review.submitted_at <= selected.merged_at)
          AND review.author_id IS DISTINCT FROM selected.author_id
          AND (reviewer.person_id IS NULL OR reviewer.person_id IS DISTINCT FROM selected.author_person)
          AND NOT EXISTS (SELECT FROM bot WHERE bot.identity_id = review.author_id)
    )
"""

# The commits that a pull request lists, with everything known about each.  A commit is not its own if it reached the
# default branch before: through another pull request that was merged there earlier (which lists it, or has it as its
# merge commit) or, if the history is known, because it precedes the merge there.  A branch that was merged by
# fast-forward ends in its merge commit: its own commits are those that stand there without a gap.  `shared` are the
# commits that other pull requests list as well, or were merged as.
# The time is the author's, if plausible (a clone keeps whatever it is given); for a copy of a commit that the default
# branch had before, the time at which it was picked.
COMMITS: LiteralString = """
    merged_with AS (
        SELECT listed.sha, earlier.id, earlier.repository_id, earlier.merged_at
        FROM (
            SELECT shared.sha, listed.pull_request_id AS id
            FROM unnest(%(shared)s::text[]) AS shared (sha)
            JOIN integrations_pullrequestcommit listed ON listed.sha = shared.sha
            UNION
            SELECT shared.sha, merged.id
            FROM unnest(%(shared)s::text[]) AS shared (sha)
            JOIN integrations_pullrequest merged ON merged.merge_sha = shared.sha AND merged.merge_sha <> ''
        ) AS listed
        JOIN integrations_pullrequest earlier ON earlier.id = listed.id
        JOIN integrations_repository repository ON repository.id = earlier.repository_id
        WHERE earlier.merged_at IS NOT NULL AND earlier.deleted_at IS NULL
          AND (earlier.target_branch IN ('', repository.default_branch)
               OR repository.default_branch = '' AND earlier.target_branch = ANY (%(usual_branches)s))
    ), listed AS (
        SELECT selected.id, selected.repository_id, selected.merged_at, selected.merge_sha,
               commit.sha, commit.author_id, commit.authored_at, commit.committed_at, commit.agents,
               place.position, place.on_chain, merge.position AS merge_position
        FROM selected
        JOIN integrations_pullrequestcommit commit ON commit.pull_request_id = selected.id
        LEFT JOIN integrations_commitplace merge
               ON merge.repository_id = selected.repository_id AND merge.sha = selected.merge_sha
        LEFT JOIN integrations_commitplace place
               ON place.repository_id = selected.repository_id AND place.sha = commit.sha
    ), placed AS (
        SELECT id, sha, position, merge_position, bool_or(sha = merge_sha) OVER of_one AS forwarded,
               count(*) FILTER (WHERE on_chain AND position <= merge_position)
                   OVER (of_one ORDER BY position DESC) AS on_chain_since
        FROM listed
        WHERE position IS NOT NULL AND merge_position IS NOT NULL
        WINDOW of_one AS (PARTITION BY id)
    ), own AS (
        SELECT listed.id, listed.sha, listed.author_id, listed.committed_at, listed.agents,
               known.id AS commit_id, known.stands_in_id, known.lines_known,
               CASE WHEN picked.id IS NOT NULL THEN coalesce(listed.committed_at, known.committed_at)
                    ELSE coalesce(listed.authored_at,
                                  CASE WHEN known.authored_at >= '1970-01-02Z' AND known.authored_at < '2100-01-01Z'
                                       THEN known.authored_at END) END AS authored_at,
               known.lines_added + known.lines_deleted AS lines
        FROM listed
        LEFT JOIN integrations_commit known ON known.sha = listed.sha
        LEFT JOIN integrations_commit picked
               ON picked.id = known.stands_in_id AND known.set_apart = 'duplicate'
              AND picked.committed_at < known.committed_at
              AND EXISTS (
                      SELECT FROM integrations_commitplace brought
                      WHERE brought.repository_id = listed.repository_id AND brought.sha = picked.sha
                        AND brought.position IS NOT NULL
                  )
        WHERE NOT EXISTS (
                  SELECT FROM merged_with earlier
                  WHERE earlier.sha = listed.sha AND earlier.id <> listed.id
                    AND earlier.repository_id = listed.repository_id
                    AND earlier.merged_at < coalesce(listed.merged_at, 'infinity')
              )
          AND NOT EXISTS (
                  SELECT FROM placed
                  WHERE placed.id = listed.id AND placed.sha = listed.sha
                    AND placed.position < placed.merge_position
                    AND (NOT placed.forwarded
                         OR placed.merge_position - placed.position + 1 > placed.on_chain_since)
              )
    )
"""

# The commits that give a pull request's lines: its merge commit, if that has exactly its lines (a squash, or its only
# commit); otherwise all its own, if a clone has each of them.  In the latter, lines that are changed twice count twice,
# so the provider's number is the limit.  A list of commits that is shorter than the provider's number was cut: it gives
# no lines, and gives the first commit only if the missing ones are the newest, including the head.
LINES: LiteralString = """
    whole AS (
        SELECT selected.id, merged.id AS commit_id, merged.lines_added + merged.lines_deleted AS lines
        FROM selected
        JOIN integrations_commit merged
          ON merged.sha = selected.merge_sha AND merged.lines_known AND cardinality(merged.parents) < 2
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(coalesce(file.added, 0) + coalesce(file.deleted, 0)), 0) AS lines
            FROM integrations_commitfile file WHERE file.commit_id = merged.id
        ) AS all_files
        LEFT JOIN (SELECT own.id, count(*) AS commits FROM own GROUP BY own.id) AS counted ON counted.id = selected.id
        WHERE all_files.lines = selected.provided_size
           OR selected.provided_size IS NULL AND counted.commits = 1 AND coalesce(selected.commit_count, 1) = 1
    ), cut AS (
        SELECT selected.id, bool_or(listed.sha = selected.head_sha) AS lacks_first
        FROM selected
        JOIN integrations_pullrequestcommit listed ON listed.pull_request_id = selected.id
        WHERE selected.commit_count IS NOT NULL
        GROUP BY selected.id, selected.commit_count
        HAVING count(*) < selected.commit_count
    ), clone AS (
        SELECT own.id, CASE WHEN cut.lacks_first IS NOT TRUE THEN min(own.authored_at) END AS first_commit_at,
               CASE WHEN cut.id IS NULL AND bool_and(own.lines_known IS TRUE) THEN sum(own.lines) END AS lines
        FROM own
        LEFT JOIN cut ON cut.id = own.id
        GROUP BY own.id, cut.id, cut.lacks_first
    ), telling AS (
        SELECT whole.id, whole.commit_id FROM whole
        UNION ALL
        SELECT own.id, own.commit_id
        FROM own
        JOIN clone ON clone.id = own.id AND clone.lines IS NOT NULL
        WHERE NOT EXISTS (SELECT FROM whole WHERE whole.id = own.id)
    ), changed AS (
        SELECT telling.id,
               count(DISTINCT file.path) AS files,
               count(DISTINCT regexp_replace(file.path, '/?[^/]*$', '')) AS directories,
               count(DISTINCT nullif(file.language, '')) AS languages
        FROM telling
        JOIN integrations_commitfile file ON file.commit_id = telling.commit_id AND file.set_apart = ''
        GROUP BY telling.id
    )
"""

# Agents that contributed to its commits or its merge commit: by lines, if a clone has the files; otherwise by the best
# evidence, by author, and by the message that the provider sent, unless a note says that no agent contributed.
AGENTS: LiteralString = """
    part AS (
        SELECT own.id, coalesce(own.stands_in_id, own.commit_id) AS commit_id FROM own WHERE own.commit_id IS NOT NULL
        UNION
        SELECT selected.id, merged.id FROM selected JOIN integrations_commit merged ON merged.sha = selected.merge_sha
    ), agents AS (
        SELECT provided.id, array_agg(DISTINCT provided.agent::varchar ORDER BY provided.agent::varchar) AS agents
        FROM (
            SELECT part.id, attribution.agent
            FROM part
            JOIN integrations_fileattribution attribution ON attribution.commit_id = part.commit_id
            UNION ALL
            SELECT part.id, best.agent
            FROM part
            JOIN integrations_commit commit ON commit.id = part.commit_id AND NOT commit.lines_known
            CROSS JOIN LATERAL (
                SELECT evidence.agent,
                       rank() OVER (ORDER BY array_position(%(methods)s, evidence.method::text)) AS rank
                FROM integrations_commitevidence evidence
                WHERE evidence.commit_id = part.commit_id AND evidence.withdrawn_at IS NULL
            ) AS best
            WHERE best.rank = 1 AND best.agent <> ''
            UNION ALL
            SELECT own.id, bot.agent FROM own JOIN bot ON bot.identity_id = own.author_id AND bot.agent <> ''
            UNION ALL
            SELECT own.id, unnest(own.agents)
            FROM own
            WHERE NOT EXISTS (
                SELECT FROM integrations_commitevidence none
                WHERE none.commit_id = own.commit_id AND none.agent = '' AND none.withdrawn_at IS NULL
            )
            UNION ALL
            SELECT selected.id, selected.author_agent FROM selected WHERE selected.author_agent IS NOT NULL
        ) AS provided (id, agent)
        GROUP BY provided.id
    )
"""

# The days on which it was open, and those among them on which it was stale.  Days are those of the organisation's time
# zone, which is that of the database session.
DAYS: LiteralString = """
    lasting AS (
        SELECT selected.id, selected.opened_at, selected.ended_at
        FROM selected
        WHERE selected.opened_at <= coalesce(selected.ended_at, 'infinity')
          AND (selected.state = 'open' OR selected.ended_at IS NOT NULL)
    ), closed AS (
        SELECT event.id, range_agg(daterange(event.at::date, event.until::date)) AS days
        FROM (
            SELECT lasting.id, event.kind, event.at,
                   lead(event.at) OVER (PARTITION BY lasting.id ORDER BY event.at, event.position, event.id)
                       AS until
            FROM lasting
            JOIN integrations_pullrequestevent event ON event.pull_request_id = lasting.id
            WHERE event.kind IN ('closed', 'reopened')
        ) AS event
        WHERE event.kind = 'closed' AND event.until IS NOT NULL
        GROUP BY event.id
    ), activity AS (
        SELECT happened.id, happened.at,
               coalesce(lead(happened.at) OVER (PARTITION BY happened.id ORDER BY happened.at), happened.ended_at)
                   AS until
        FROM (
            SELECT lasting.id, provided.at, lasting.ended_at
            FROM lasting
            CROSS JOIN LATERAL (
                SELECT lasting.opened_at
                UNION ALL
                SELECT event.at FROM integrations_pullrequestevent event WHERE event.pull_request_id = lasting.id
                UNION ALL
                SELECT review.submitted_at
                FROM integrations_pullrequestreview review WHERE review.pull_request_id = lasting.id
                UNION ALL
                SELECT commit.committed_at
                FROM integrations_pullrequestcommit commit WHERE commit.pull_request_id = lasting.id
            ) AS provided (at)
            WHERE (lasting.ended_at IS NULL
                   OR lasting.ended_at - lasting.opened_at > %(stale_after)s * interval '1 day')
              AND provided.at BETWEEN lasting.opened_at AND coalesce(lasting.ended_at, 'infinity')
        ) AS happened
    ), stale AS (
        SELECT activity.id,
               range_agg(daterange(activity.at::date + %(stale_after)s::int, activity.until::date)) AS days
        FROM activity
        WHERE activity.until IS NULL OR activity.until::date > activity.at::date + %(stale_after)s::int
        GROUP BY activity.id
    )
"""
