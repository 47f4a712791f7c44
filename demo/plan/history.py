"""A repository's year, played from its planned commits into `git fast-import`.

Most commits go to branches, which are merged when their pull requests are, or never; those that are open when the year
ends stay open.  In one repository a branch is squashed, and in one a branch's commit is picked to main: both are there
twice, and count once.  A bot keeps the lock file up to date.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from demo.plan.authorship_notes import NOTES_REF, authorship_note
from demo.plan.commits import TRAILERS, DemoCommit, Mark
from demo.plan.fast_import import FastImport, Signed, create_bare_repository, fast_import, object_ids
from demo.plan.filler import Filler
from demo.plan.people import DemoPerson
from demo.plan.pull_requests import PlannedPullRequest, Work, plan_work
from demo.plan.repositories import (
    BOT_EMAIL,
    BOT_NAME,
    ORGANISATION_LOGIN,
    DemoRepository,
    git_address,
    mailmap,
    project_key,
)
from demo.plan.session import DemoSession
from demo.plan.work_tree import WorkTree, Written, content_of, marks_of
from demo.plan.year import DemoYear

_MAIN = "refs/heads/main"
_BOT_EVERY = timedelta(days=14)
_KEY_IN_COMMIT_CHANCE = 0.12  # that a commit on an issue names it
_GENERATED_CHANCE = 0.06  # that a commit also renews the generated file and the lock file
_SEED_FILES, _SEED_LINES = 320, 20


@dataclass(slots=True)
class _Branch:
    ref: str
    tip: int
    tree: WorkTree
    commits: int = 0


@dataclass(frozen=True, slots=True)
class _Noted:
    """A commit that gets a note, by its mark."""

    mark: int
    commit: DemoCommit
    session: DemoSession
    written: list[Written]


class RepositoryHistory:
    """Plays one repository; the same seed and planned commits write the same objects."""

    def __init__(self, year: DemoYear, repository: DemoRepository, importing: FastImport) -> None:
        self._year, self._repository, self._importing = year, repository, importing
        self._people = year.team(repository.team)
        self._rng = Random(f"{year.seed}/{repository.name}")  # noqa: S311 - a demo, not a secret
        self._filler = Filler(self._rng)
        self._main = WorkTree(repository, self._filler)
        self._branches: dict[int, _Branch] = {}  # by the pull request's number
        self._tip = 0
        self._picked = False
        self.noted: list[_Noted] = []

    def play(self, work: Work) -> None:
        """Write all commits and merges, in order of time."""
        self._begin()
        events: list[tuple[datetime, Callable[[], None]]] = [
            (at, partial(self._keep_up, at, what)) for at, what in self._upkeep()
        ]
        events += [(commit.at, partial(self._commit, commit, None)) for commit in work.direct]
        for pull_request in work.pull_requests:
            events += [(commit.at, partial(self._commit, commit, pull_request)) for commit in pull_request.commits]
            if pull_request.merged_at is not None:
                events.append((pull_request.merged_at, partial(self._land, pull_request, pull_request.merged_at)))
        for _, happens in sorted(events, key=lambda event: event[0]):
            happens()

    def _begin(self) -> None:
        repository = self._repository
        day = self._year.first_day - timedelta(days=7)
        at = datetime.combine(day, datetime.min.time(), self._year.anchor.tzinfo)
        files = {
            "README.md": f"# {repository.name}\n",
            ".gitattributes": f"{repository.generated_file} linguist-generated\n",
            repository.generated_file: self._text(repository.generated_file, 120),
            repository.lock_file: self._text(repository.lock_file, 400),
        }
        if names := mailmap(self._people):
            files[".mailmap"] = names
        if folder := repository.vendored_folder:
            files |= {path: self._text(path, 60) for path in (f"{folder}/part{n}.go" for n in range(20))}
        self._on_main(_signed(self._people[0], at + timedelta(hours=9)), "Begin\n", files)

    def _upkeep(self) -> Iterator[tuple[datetime, str]]:
        """Times of upkeep commits: a bot renews the lock file, a context file is added (by path), or the seeds are."""
        first_day = self._year.first_day
        minute = timedelta(minutes=self._rng.randrange(240))  # the same change at the same time would count once
        at = datetime.combine(first_day, datetime.min.time(), self._year.anchor.tzinfo) + minute
        while at <= self._year.anchor:
            yield at, self._repository.lock_file
            at += _BOT_EVERY
        for path, weeks in self._repository.context_files:
            day = max(first_day, self._year.first_day_of(weeks))
            yield datetime.combine(day, datetime.min.time(), self._year.anchor.tzinfo) + timedelta(hours=6), path
        if (weeks_before_end := self._repository.bulk_import_weeks) is not None:
            day = max(first_day, self._year.first_day_of(weeks_before_end))
            yield datetime.combine(day, datetime.min.time(), self._year.anchor.tzinfo) + timedelta(hours=5), "seeds"

    def _keep_up(self, at: datetime, what: str) -> None:
        if what == self._repository.lock_file:
            files = {what: self._text(what, 400)}
            self._on_main(Signed(BOT_NAME, BOT_EMAIL, at), f"Update {self._filler.name()}\n", files)
        elif what == "seeds":
            paths = [f"seeds/{self._filler.name()}.sql" for _ in range(_SEED_FILES)]
            files = {path: self._text(path, _SEED_LINES) for path in paths}
            self._on_main(_signed(self._people[0], at), "Import the seeds\n", files)
        else:
            self._on_main(_signed(self._people[1], at), f"Add {what}\n", {what: self._text("rules.md", 24)})

    def _commit(self, commit: DemoCommit, pull_request: PlannedPullRequest | None) -> None:
        branch = self._branch_of(pull_request) if pull_request else None
        tree = branch.tree if branch else self._main
        written = tree.change(commit.agent_lines, commit.own_lines, self._rng)
        files = tree.contents([file.path for file in written], self._importing)
        if branch is None and self._rng.random() < _GENERATED_CHANCE:
            renewed = (self._repository.generated_file, self._repository.lock_file)
            files |= marks_of(self._importing, {path: self._text(path, 150) for path in renewed})
        message = self._message(commit, pull_request)
        ref, tip = (branch.ref, branch.tip) if branch else (_MAIN, self._tip)
        mark = self._importing.commit(ref, _signed(commit.person, commit.at), message, files, parents=(tip,))
        if commit.mark is Mark.NOTE and commit.session is not None:
            self.noted.append(_Noted(mark, commit, commit.session, written))
        if branch is None:
            self._advance(mark, files)
            return
        branch.tip = mark
        branch.commits += 1
        picks = self._repository.pick_weeks
        if (
            picks is not None
            and not self._picked
            and branch.commits == 1
            and commit.mark is Mark.NOTE
            and commit.at.date() >= self._year.first_day_of(picks)
        ):
            self._pick(commit, message, files)

    def _message(self, commit: DemoCommit, pull_request: PlannedPullRequest | None) -> str:
        subject = self._filler.sentence()
        if pull_request and pull_request.issue and self._rng.random() < _KEY_IN_COMMIT_CHANCE:
            subject += f" ({project_key(self._repository.name)}-{pull_request.issue})"
        if commit.mark is Mark.TRAILER and commit.session is not None:
            return f"{subject}\n\n{TRAILERS[commit.session.setting.agent]}\n"
        return f"{subject}\n"

    def _pick(self, commit: DemoCommit, message: str, files: dict[str, int]) -> None:
        """Bring a branch's first commit to main, whose files nobody changed there: another object, the same change."""
        author = _signed(commit.person, commit.at)
        at = min(commit.at + timedelta(minutes=1), self._year.anchor)
        mark = self._importing.commit(
            _MAIN, author, message, files, parents=(self._tip,), committer=_signed(commit.person, at)
        )
        self._tip = mark
        self._picked = True

    def _branch_of(self, pull_request: PlannedPullRequest) -> _Branch:
        """The pull request's branch; it leaves main where main is at its first commit."""
        branch = self._branches.get(pull_request.number)
        if branch is None:
            tree = WorkTree(self._repository, self._filler, main=self._main, base=self._tip)
            branch = _Branch(f"refs/heads/{pull_request.branch}", self._tip, tree)
            self._branches[pull_request.number] = branch
        return branch

    def _land(self, pull_request: PlannedPullRequest, at: datetime) -> None:
        """Bring the branch to main; a merged one's ref goes, a squashed one's stays, as where nobody cleans up."""
        branch = self._branches.pop(pull_request.number)
        by = _signed(pull_request.review.merged_by or pull_request.person, at)
        files = branch.tree.contents(branch.tree.files, self._importing)
        if pull_request.is_squashed:
            by = _signed(pull_request.person, at)
            message = f"Squash branch '{pull_request.branch}' (#{pull_request.number})\n"
            mark = self._importing.commit(_MAIN, by, message, files, parents=(self._tip,))
        else:
            message = f"Merge pull request #{pull_request.number} from {ORGANISATION_LOGIN}/{pull_request.branch}\n"
            mark = self._importing.commit(_MAIN, by, message, files, parents=(self._tip, branch.tip))
            self._importing.delete(branch.ref)
        self._main.take_over(branch.tree)
        self._advance(mark, files)

    def _advance(self, mark: int, files: Iterable[str]) -> None:
        """Main stands at another commit, which changed these files."""
        self._tip = mark
        self._main.changed_at.update(dict.fromkeys(files, mark))

    def _on_main(self, author: Signed, message: str, texts: dict[str, str]) -> None:
        parents = (self._tip,) if self._tip else ()
        self._tip = self._importing.commit(_MAIN, author, message, marks_of(self._importing, texts), parents=parents)

    def _text(self, path: str, lines: int) -> str:
        return content_of(self._filler.lines(path, lines)).decode()


def write_repository(path: Path, year: DemoYear, repository: DemoRepository, planned: Sequence[DemoCommit]) -> None:
    """Write the repository to `path`, where it appears only once it is complete."""
    draft = path.with_name(f".{path.name}.draft")
    with suppress(FileNotFoundError):
        shutil.rmtree(draft)
    create_bare_repository(draft, year.flavour.tools.clone_address(repository))
    with fast_import(draft) as importing:
        history = RepositoryHistory(year, repository, importing)
        history.play(plan_work(year, repository, planned))
    if history.noted:
        shas = object_ids(draft)
        notes = {
            shas[noted.mark]: authorship_note(noted.commit, noted.session, shas[noted.mark], noted.written)
            for noted in history.noted
        }
        with fast_import(draft) as importing:
            importing.notes(NOTES_REF, Signed("git-ai", "git-ai@example.com", year.anchor), notes)
    (draft / "marks").unlink()
    draft.rename(path)


def _signed(person: DemoPerson, at: datetime) -> Signed:
    return Signed(person.full_name, git_address(person), at.astimezone(ZoneInfo(person.time_zone)))
