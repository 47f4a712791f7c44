"""Line history of default branches, in the background: which existing lines each change reworked or refactored.

Needs a clone.  The first-parent chain is read from the last stored position; results are stored together with the new
position, so that a killed worker resumes there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from itertools import islice

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core import sql
from core.locks import Lock
from core.queue import run_all
from integrations.code.commits.own_commits import sources_of
from integrations.connectors.git.attributes import AttributeReader
from integrations.connectors.git.commands import GitError
from integrations.connectors.git.languages import classify
from integrations.connectors.git.line_ages import LineAges, LineCounts
from integrations.connectors.git.line_changes import ChainCommit, read_chain
from integrations.connectors.git.repository import GitRepository
from integrations.models import ChangedLines, FactFamily, LineHistory, Repository
from integrations.outbox.fact_changes import append_days
from integrations.outbox.pull_request_queue import enqueue_pull_requests_with

logger = logging.getLogger(__name__)

COMMITS_AT_ONCE = 500  # per transaction, which also writes the ages of all lines
LINE_HISTORY = Lock("line history")  # by repository

# A commit of the chain counts for its author, a merge for the author of most of the lines it brought; bots only count
# where nobody else contributed.
# Positions between the first and the last merge are read in one go, not once per merge.
_AUTHORS = """
    WITH merge AS MATERIALIZED (
        SELECT chain.id, place.position
        FROM integrations_commit chain
        JOIN integrations_commitplace place ON place.repository_id = %(repository)s AND place.sha = chain.sha
        WHERE chain.sha = ANY (%(shas)s) AND cardinality(chain.parents) > 1 AND place.position IS NOT NULL
    ), place AS MATERIALIZED (
        SELECT place.sha, place.position
        FROM integrations_commitplace place
        WHERE place.repository_id = %(repository)s
          AND place.position BETWEEN (SELECT min(position) FROM merge) AND (SELECT max(position) FROM merge)
    ), brought AS (
        SELECT DISTINCT ON (own.merge_id) own.merge_id, own.id AS author_id
        FROM (
            SELECT merge.id AS merge_id, own.id, own.by_bot, own.lines_added,
                   sum(own.lines_added + own.lines_deleted + 1)
                       OVER (PARTITION BY merge.id, own.by_bot, own.credited_id) AS lines_of_author
            FROM merge
            JOIN place ON place.position = merge.position
            JOIN integrations_commit own ON own.sha = place.sha AND cardinality(own.parents) < 2
        ) AS own
        ORDER BY own.merge_id, own.by_bot, own.lines_of_author DESC, own.lines_added DESC, own.id
    )
    SELECT chain.id, coalesce(brought.author_id, chain.id)
    FROM integrations_commit chain
    LEFT JOIN brought ON brought.merge_id = chain.id
    WHERE chain.sha = ANY (%(shas)s)
"""
# The owners of rewritten lines, by the second in which the lines reached the branch.
_REWRITTEN = """
    INSERT INTO integrations_rewrittenlines (commit_id, by_id, lines)
    SELECT DISTINCT ON (rewriting.by_id, rewriting.moment) writer.id, rewriting.by_id, rewriting.lines
    FROM unnest(%(by)s::bigint[], %(moments)s::bigint[], %(lines)s::int[]) AS rewriting (by_id, moment, lines)
    JOIN integrations_changedlines rewriter
      ON rewriter.commit_id = rewriting.by_id AND rewriter.repository_id = %(repository)s
    JOIN (
        SELECT commit.id, extract(epoch FROM commit.committed_at)::bigint AS moment
        FROM integrations_changedlines left_lines
        JOIN integrations_commit commit ON commit.id = left_lines.commit_id
        WHERE left_lines.repository_id = %(repository)s
          AND commit.committed_at >= to_timestamp((SELECT min(moment) FROM unnest(%(moments)s::bigint[]) AS moment))
    ) AS writer USING (moment)
    ORDER BY rewriting.by_id, rewriting.moment, writer.id
    ON CONFLICT DO NOTHING
    RETURNING commit_id
"""
_DAYS = """
    SELECT commit.counted_on, commit.counted_on + 1
    FROM integrations_changedlines lines
    JOIN integrations_commit commit ON commit.id = lines.commit_id
    WHERE lines.commit_id = ANY (%(commits)s)
"""


def request_line_history(repository: Repository) -> None:
    """Queue the repository for a line history update, in the transaction in which its branch moved."""
    LineHistory.objects.update_or_create(repository=repository, defaults={"requested_at": timezone.now()})


def sync_line_histories() -> int:
    """Update the line history of every queued repository; returns the number of stored changes.

    A failing repository does not stop the others; it comes last in the next round.
    """
    requested = (
        LineHistory.objects.filter(requested_at__isnull=False).order_by("requested_at").select_related("repository")
    )
    return sum(run_all((history.repository for history in requested), sync_line_history, failed=_request_later))


def _request_later(repository: Repository) -> None:
    LineHistory.objects.filter(repository=repository).update(
        requested_at=timezone.now(), problem="An internal error interrupted it; Headway's log has the details."
    )


def sync_line_history(repository: Repository) -> int:
    """Update the line history to the tip of the default branch; returns the number of stored changes.

    If no clone can be read, stored data stays, and the row says why.  Raises BusyError.
    """
    with LINE_HISTORY.alone(repository.pk):
        history = LineHistory.objects.get_or_create(repository=repository)[0]
        mine = LineHistory.objects.filter(pk=repository.pk)
        began, problem, stored = timezone.now(), "", 0
        try:
            stored = _follow(repository, history)
        except GitError as error:
            problem = str(error)
            logger.warning("The lines of %s cannot be followed: %s", repository, problem)
        mine.update(problem=problem)
        mine.filter(Q(requested_at__lte=began)).update(requested_at=None)
        return stored


def _follow(repository: Repository, history: LineHistory) -> int:
    clone = _clone_of(repository)
    if clone is None:
        return 0
    git, tip = clone
    if tip == history.tip:
        return 0
    boundary, ages = git.boundary, LineAges()
    goes_on = bool(history.tip) and git.is_on_chain(history.tip, tip)
    if goes_on:
        ages = LineAges.unpacked(bytes(history.ages))
    else:
        _forget(repository)
    stored = 0
    with AttributeReader(git.git_dir, tip) as attributes:
        commits = read_chain(git.git_dir, tip, after=history.tip if goes_on else "")
        while some := list(islice(commits, COMMITS_AT_ONCE)):
            counts: dict[str, tuple[int, LineCounts]] = {}
            for commit in some:
                if commit.sha in boundary:
                    ages.begin_at(commit)
                    continue
                if not commit.is_known:
                    ages.pass_over(commit)
                    continue
                counting = _counted_paths(commit, attributes)
                counts[commit.sha] = (len(counting), ages.follow(commit, counting.__contains__))
            stored += _store(repository, counts, some[-1].sha, ages)
    return stored


def _counted_paths(commit: ChainCommit, attributes: AttributeReader) -> set[bytes]:
    """The paths of the commit's files that are not generated, vendored or otherwise excluded."""
    names = {path: path.decode("utf-8", "backslashreplace") for path in _paths(commit)}
    path_attributes = attributes.of(names.values())
    return {path for path, name in names.items() if not classify(name, path_attributes[name]).exclusion_reason}


def _paths(commit: ChainCommit) -> Iterator[bytes]:
    return (file.path or file.old_path for file in commit.files if file.is_text)


def _store(repository: Repository, counts: dict[str, tuple[int, LineCounts]], tip: str, ages: LineAges) -> int:
    """Store the changes of these commits and the new position; returns how many of the commits are stored."""
    with transaction.atomic():
        authors = dict(sql.rows(_AUTHORS, {"repository": repository.pk, "shas": list(counts)}))
        shas = dict(sql.rows("SELECT id, sha FROM integrations_commit WHERE id = ANY (%s)", [list(authors)]))
        rows = [
            ChangedLines(
                commit_id=id_,
                repository=repository,
                author_id=authors[id_],
                files=counts[sha][0],
                added=counts[sha][1].added,
                reworked=counts[sha][1].reworked,
                refactored=counts[sha][1].refactored,
                written=counts[sha][1].written,
            )
            for id_, sha in shas.items()
        ]
        # A fork shares commits with its origin: the repository that came first keeps them.
        ChangedLines.objects.bulk_create(rows, ignore_conflicts=True)
        append_days({FactFamily.CLONE: _DAYS}, {"commits": list(shas)})
        rewritten = _store_rewritten(repository, {id_: counts[sha][1].reworked_from for id_, sha in shas.items()})
        enqueue_pull_requests_with({*shas, *rewritten})
        LineHistory.objects.filter(pk=repository.pk).update(tip=tip, ages=ages.packed())
    return len(rows)


def _store_rewritten(repository: Repository, changes: Mapping[int, Mapping[int, int]]) -> set[int]:
    """Store how many lines of each moment these commits rewrote; return the commits that had written the lines."""
    flat = [(by, moment, lines) for by, moments in changes.items() for moment, lines in moments.items()]
    if not flat:
        return set()
    columns = dict(zip(("by", "moments", "lines"), map(list, zip(*flat, strict=True)), strict=True))
    return sql.ids(_REWRITTEN, {"repository": repository.pk, **columns})


def _forget(repository: Repository) -> None:
    """Delete the stored line history: the branch was rewritten, or has none yet."""
    with transaction.atomic():
        of_repository = ChangedLines.objects.filter(repository=repository)
        commits = list(of_repository.values_list("commit_id", flat=True))
        append_days({FactFamily.CLONE: _DAYS}, {"commits": commits})
        enqueue_pull_requests_with(commits)
        of_repository.delete()
        LineHistory.objects.filter(pk=repository.pk).update(tip="", ages=b"")


def _clone_of(repository: Repository) -> tuple[GitRepository, str] | None:
    """A readable clone, with the tip of its default branch; None if there is no clone.

    Raises GitError if none of several can be read.
    """
    problem: GitError | None = None
    for source in sources_of(repository).exclude(refs={}):
        try:
            git = GitRepository.open(source.external_id)
            default = git.default_branch(source.refs)
        except GitError as error:
            problem = error
            continue
        if default is not None:
            return git, source.refs[default]
    if problem is not None:
        raise problem
    return None
