"""Sentences about lines of code, for which a real repository is made: its commits, branches and merges."""

from __future__ import annotations

from tests.code.git.repositories import Repo
from tests.delivery.pull_requests.histories import Commit
from tests.worked.sentences import Line, sentence
from tests.worked.tell_pull_requests import pull_request


@sentence(r"(?P<who>[a-z]+) commits to the branch (?P<branch>\S+)")
def commits_to(line: Line, who: str, branch: str) -> None:
    """A branch that is new begins where main is.  A commit may belong to pull requests."""
    _go_to(line.story.clone, branch)
    sha = line.story.clone.commit(_written(line), f"{who} at {line.at}", by=_signature(who), at=line.at)
    for (number,) in line.texts(r"for #(\d+)"):
        pull_request(line.story, number).history.commits.append(Commit(sha, line.at, line.at, who))


@sentence(r"(?P<who>[a-z]+) (?P<how>merges|squashes) the branch (?P<branch>\S+)")
def merges_branch(line: Line, who: str, how: str, branch: str) -> None:
    """Merge the branch into main; if it ends pull requests, they were merged as this commit."""
    repo = line.story.clone
    repo.switch("main")
    signed = repo.signed(_signature(who), at=line.at)
    if how == "merges":
        repo.git(*("merge", "--quiet", "--no-ff", "--no-verify", f"--message=Merge {branch}", branch), signed=signed)
    else:
        repo.git("merge", "--quiet", "--squash", branch, signed=signed)
        repo.commit({}, f"Squash {branch}", by=_signature(who), at=line.at)
    for (number,) in line.texts(r"which merges #(\d+)"):
        history = pull_request(line.story, number).history
        history.merged_at, history.merged_by, history.merge_commit = line.at, who, repo.head


def _go_to(repo: Repo, branch: str) -> None:
    if not repo.git("for-each-ref", "refs/heads"):  # it has no commit yet: main is where the first will be
        assert branch == "main", "the first commit is on main"
    elif repo.git("for-each-ref", f"refs/heads/{branch}"):
        repo.switch(branch)
    else:
        repo.branch(branch, "main")


def _written(line: Line) -> dict[str | bytes, str | bytes | None]:
    """The files as they are after the commit.  No two lines that are written are alike."""
    files: dict[str, list[str] | None] = {}

    def lines_of(path: str) -> list[str]:
        if path not in files:
            file = line.story.clone.path / path
            files[path] = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        found = files[path]
        assert found is not None, f"{path} was deleted"
        return found

    for count, path in line.texts(r"(\d+) new lines? in (\S+)"):
        lines_of(path).extend(line.story.new_line() for _ in range(int(count)))
    for first, last, path in line.texts(r"lines? (\d+)(?: to (\d+))? changed in (\S+)"):
        for position in range(int(first) - 1, int(last or first)):
            lines_of(path)[position] = line.story.new_line()
    for first, last, path in line.texts(r"lines? (\d+)(?: to (\d+))? deleted from (\S+)"):
        del lines_of(path)[int(first) - 1 : int(last or first)]
    for (path,) in line.texts(r"(\S+) deleted"):
        files[path] = None
    return {path: None if lines is None else "".join(f"{line}\n" for line in lines) for path, lines in files.items()}


def _signature(who: str) -> str:
    return f"{who.title()} Example <{who}@example.com>"
