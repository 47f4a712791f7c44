"""Sentences about pull requests, their commits and their reviews."""

from __future__ import annotations

from datetime import UTC, datetime

from integrations.connectors.drafts import CommitDraft, Who
from integrations.enums import PullRequestEventKind, ReviewState
from tests.delivery.pull_requests.histories import Commit, History, Review, sha_of
from tests.intake.conftest import SHOP
from tests.worked.facts import PullRequest
from tests.worked.sentences import Line, sentence
from tests.worked.story import Story

_REVIEWS = {
    "approves": ReviewState.APPROVED,
    "comments on": ReviewState.COMMENTED,
    "asks for changes on": ReviewState.CHANGES_REQUESTED,
}
_MARKS = {
    "marks {} ready": PullRequestEventKind.READY,
    "makes {} a draft": PullRequestEventKind.DRAFT,
    "closes {}": PullRequestEventKind.CLOSED,
    "reopens {}": PullRequestEventKind.REOPENED,
}
_TO_COME = datetime.max.replace(tzinfo=UTC)


def pull_request(story: Story, number: str) -> PullRequest:
    """The one of that number; commits may be told of before it is opened."""
    return story.pull_requests.setdefault(number, PullRequest(History(int(number), "", _TO_COME)))


@sentence(r"(?P<who>\S+) commits (?P<name>\S+) to #(?P<number>\d+)")
def commits(line: Line, who: str, name: str, number: str) -> None:
    parents = line.text("after (.+)")
    commit = Commit(name, line.at, line.at, who, tuple(parents.split(" and ")) if parents else ())
    pull_request(line.story, number).history.commits.append(commit)


@sentence(r"#(?P<number>\d+) lists (?P<name>\S+)")
def lists(line: Line, number: str, name: str) -> None:
    """A commit that was made for something else and came into the branch."""
    known = line.story.commits[name]
    assert known.authored_at
    commit = Commit(name, known.authored_at, known.committed_at, known.author.login)
    pull_request(line.story, number).history.commits.append(commit)


@sentence(r"(?P<who>\S+) opens #(?P<number>\d+)")
def opens(line: Line, who: str, number: str) -> None:
    record = pull_request(line.story, number)
    history = record.history
    history.author, history.created_at = who, line.at
    history.draft = line.says("as a draft")
    history.requested_by = line.text("asked for by (.+)")
    history.title = line.text("called “(.+)”", history.title)
    history.branch = line.text("from the branch (.+)")
    history.target = line.text("into the branch (.+)", history.target)
    changed = line.texts(r"(\d+) lines added and (\d+) deleted(?: in (\d+) files?)?")
    for added, deleted, files in changed:
        history.additions, history.deletions = int(added), int(deleted)
        record.files = int(files) if files else None
    record.names = tuple(key for (key,) in line.texts("for (.+)"))


@sentence(r"#(?P<number>\d+) has (?P<comments>\d+) comments?")
def has_comments(line: Line, number: str, comments: str) -> None:
    pull_request(line.story, number).comments = int(comments)


@sentence(r"(?P<who>\S+) (?P<how>approves|comments on|asks for changes on) #(?P<number>\d+)")
def reviews(line: Line, who: str, how: str, number: str) -> None:
    state = ReviewState.DISMISSED if line.says("which is dismissed later") else _REVIEWS[how]
    pull_request(line.story, number).history.reviews.append(Review(line.at, who, state))


@sentence(r"\S+ (?P<before>marks|makes|closes|reopens) #(?P<number>\d+)(?P<after> ready| a draft)?")
def marks(line: Line, before: str, number: str, after: str | None) -> None:
    history = pull_request(line.story, number).history
    kind = _MARKS[f"{before} {{}}{after or ''}"]
    history.marks.append((line.at, kind))
    history.closed_at = line.at if kind is PullRequestEventKind.CLOSED else None


@sentence(r"(?:(?P<who>\S+) merges #(?P<number>\d+)|#(?P<unknown>\d+) is merged by who knows whom)")
def merges(line: Line, who: str | None, number: str | None, unknown: str | None) -> None:
    history = pull_request(line.story, number or unknown or "").history
    history.merged_at, history.merged_by = line.at, who or ""
    history.merge_commit = line.text("as commit (.+)")


@sentence(r"(?P<who>\S+)’s commit (?P<name>\S+) comes to main")
def comes_to_main(line: Line, who: str, name: str) -> None:
    """A commit of the default branch, as a provider tells of it."""
    author = Who(login=who)
    parents = line.text("after (.+)")
    line.story.commits[name] = CommitDraft(
        external_id=sha_of(name),
        repository=SHOP,
        parents=tuple(map(sha_of, parents.split(" and "))) if parents else (),
        author=author,
        authored_at=line.at,
        committer=author,
        committed_at=line.at,
        message=name,
        branch="main",
    )
