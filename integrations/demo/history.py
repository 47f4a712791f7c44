"""A repository's year, played from its planned commits into `git fast-import`.

Most commits go to main.  Some people work on a branch for a few commits, which adds files of its own and is merged
afterwards, or never; the branches that are open when the year ends stay open.  In one repository a branch is squashed,
and in one a branch's commit is picked to main: both are there twice, and count once.  A bot keeps the lock file up to
date.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from integrations.demo.authorship_notes import NOTES_REF, authorship_note
from integrations.demo.commits import DemoCommit, Mark
from integrations.demo.fast_import import FastImport, Signed, create_bare_repository, fast_import, object_ids
from integrations.demo.filler import Filler
from integrations.demo.people import DemoPerson
from integrations.demo.repositories import BOT_EMAIL, BOT_NAME, DemoRepository, git_address, mailmap
from integrations.demo.session import DemoSession
from integrations.demo.stories import YEAR_WEEKS
from integrations.demo.work_tree import WorkTree, Written, content_of, marks_of
from integrations.demo.year import DemoYear

_MAIN = "refs/heads/main"
_TRAILER = "Co-Authored-By: Claude <noreply@anthropic.com>"
_BRANCH_CHANCE, _OPEN_BRANCHES = 0.05, 3
_ABANDONED_CHANCE = 0.15  # that a branch is never merged
_BOT_EVERY = timedelta(days=14)
_GENERATED_CHANCE = 0.06  # that a commit also renews the generated file and the lock file
_SEED_FILES, _SEED_LINES = 320, 20


@dataclass(slots=True)
class _Branch:
    ref: str
    begun_at: int  # the commit of main at which it left
    tip: int
    tree: WorkTree
    commits_left: int


@dataclass(frozen=True, slots=True)
class _Noted:
    """A commit that is to have a note, by its mark."""

    mark: int
    commit: DemoCommit
    session: DemoSession
    written: list[Written]


class RepositoryHistory:
    """Plays one repository; the same seed and planned commits write the same objects."""

    def __init__(self, year: DemoYear, repository: DemoRepository, importing: FastImport) -> None:
        self._year, self._repository, self._importing = year, repository, importing
        self._rng = Random(f"{year.seed}/{repository.name}")  # noqa: S311 - a demo, not a secret
        self._filler = Filler(self._rng)
        self._main = WorkTree(repository, self._filler)
        self._branches: dict[str, _Branch] = {}
        self._tip = 0
        self._picked = self._squashed = False
        self.noted: list[_Noted] = []

    def play(self, planned: Sequence[DemoCommit]) -> None:
        """Write all commits, in order of time."""
        self._begin()
        upkeep = sorted(self._upkeep(), key=lambda each: each[0])
        for commit in planned:
            while upkeep and upkeep[0][0] <= commit.at:
                self._keep_up(*upkeep.pop(0))
            self._commit(commit)
        for at, kind in upkeep:
            self._keep_up(at, kind)

    def _begin(self) -> None:
        repository = self._repository
        at = datetime.combine(self._year.first_day_of(YEAR_WEEKS + 1), datetime.min.time(), self._year.anchor.tzinfo)
        files = {
            "README.md": f"# {repository.name}\n",
            ".gitattributes": f"{repository.generated_file} linguist-generated\n",
            repository.generated_file: self._text(repository.generated_file, 120),
            repository.lock_file: self._text(repository.lock_file, 400),
        }
        if names := mailmap(repository):
            files[".mailmap"] = names
        if folder := repository.vendored_folder:
            files |= {path: self._text(path, 60) for path in (f"{folder}/part{n}.go" for n in range(20))}
        self._on_main(_signed(repository.people[0], at + timedelta(hours=9)), "Begin\n", files)

    def _upkeep(self) -> Iterator[tuple[datetime, str]]:
        """When a bot renews the lock file, a context file comes in (its path is said), or the seeds do."""
        begun = self._year.first_day_of(YEAR_WEEKS)
        minute = timedelta(minutes=self._rng.randrange(240))  # the same change at the same time would count once
        at = datetime.combine(begun, datetime.min.time(), self._year.anchor.tzinfo) + minute
        while at <= self._year.anchor:
            yield at, self._repository.lock_file
            at += _BOT_EVERY
        for path, weeks in self._repository.context_files:
            day = self._year.first_day_of(weeks)
            yield datetime.combine(day, datetime.min.time(), self._year.anchor.tzinfo) + timedelta(hours=6), path
        if (weeks_before_end := self._repository.bulk_import_weeks) is not None:
            day = self._year.first_day_of(weeks_before_end)
            yield datetime.combine(day, datetime.min.time(), self._year.anchor.tzinfo) + timedelta(hours=5), "seeds"

    def _keep_up(self, at: datetime, what: str) -> None:
        if what == self._repository.lock_file:
            files = {what: self._text(what, 400)}
            self._on_main(Signed(BOT_NAME, BOT_EMAIL, at), f"Update {self._filler.name()}\n", files)
        elif what == "seeds":
            paths = [f"seeds/{self._filler.name()}.sql" for _ in range(_SEED_FILES)]
            files = {path: self._text(path, _SEED_LINES) for path in paths}
            self._on_main(_signed(self._repository.people[0], at), "Import the seeds\n", files)
        else:
            self._on_main(_signed(self._repository.people[1], at), f"Add {what}\n", {what: self._text("rules.md", 24)})

    def _commit(self, commit: DemoCommit) -> None:
        branch = self._branch_of(commit)
        tree = branch.tree if branch else self._main
        written = tree.change(commit.agent_lines, commit.own_lines, self._rng)
        files = tree.contents([each.path for each in written], self._importing)
        if branch is None and self._rng.random() < _GENERATED_CHANCE:
            renewed = (self._repository.generated_file, self._repository.lock_file)
            files |= marks_of(self._importing, {path: self._text(path, 150) for path in renewed})
        message = f"{self._filler.sentence()}\n"
        if commit.mark is Mark.TRAILER:
            message += f"\n{_TRAILER}\n"
        ref, tip = (branch.ref, branch.tip) if branch else (_MAIN, self._tip)
        mark = self._importing.commit(ref, _signed(commit.person, commit.at), message, files, parents=(tip,))
        if commit.mark is Mark.NOTE and commit.session is not None:
            self.noted.append(_Noted(mark, commit, commit.session, written))
        if branch is None:
            self._tip = mark
            return
        first = branch.begun_at == branch.tip
        branch.tip = mark
        branch.commits_left -= 1
        if (
            first
            and commit.mark is Mark.NOTE
            and self._is_time(self._repository.pick_weeks, commit)
            and not self._picked
        ):
            self._pick(commit, message, files)
        if not branch.commits_left:
            del self._branches[commit.person.email]
            if self._rng.random() >= _ABANDONED_CHANCE:
                self._land(commit, branch)

    def _is_time(self, weeks: int | None, commit: DemoCommit) -> bool:
        return weeks is not None and commit.at.date() >= self._year.first_day_of(weeks)

    def _pick(self, commit: DemoCommit, message: str, files: dict[str, int]) -> None:
        """Bring a branch's first commit to main, whose files are not there yet: another object, the same change."""
        author = _signed(commit.person, commit.at)
        at = min(commit.at + timedelta(minutes=1), self._year.anchor)
        self._tip = self._importing.commit(
            _MAIN, author, message, files, parents=(self._tip,), committer=_signed(commit.person, at)
        )
        self._picked = True

    def _land(self, last: DemoCommit, branch: _Branch) -> None:
        if self._is_time(self._repository.squash_weeks, last) and not self._squashed:
            self._squash(last, branch)
        else:
            self._merge(last, branch)

    def _branch_of(self, commit: DemoCommit) -> _Branch | None:
        """The branch that the person works on; perhaps one that begins with this commit."""
        branch = self._branches.get(commit.person.email)
        if branch is None and len(self._branches) < _OPEN_BRANCHES and self._rng.random() < _BRANCH_CHANCE:
            ref = f"refs/heads/{self._filler.name().replace('_', '-')}"
            tree = WorkTree(self._repository, self._filler)
            branch = self._branches[commit.person.email] = _Branch(
                ref, self._tip, self._tip, tree, self._rng.randrange(2, 6)
            )
        return branch

    def _squash(self, last: DemoCommit, branch: _Branch) -> None:
        """Bring the branch to main as one commit; its ref stays, as where nobody cleans up."""
        at = min(last.at + timedelta(minutes=2), self._year.anchor)
        files = branch.tree.contents(branch.tree.files, self._importing)
        message = f"Squash branch '{branch.ref.removeprefix('refs/heads/')}'\n"
        self._tip = self._importing.commit(_MAIN, _signed(last.person, at), message, files, parents=(self._tip,))
        self._main.take_over(branch.tree)
        self._squashed = True

    def _merge(self, last: DemoCommit, branch: _Branch) -> None:
        """Merge the branch minutes after its last commit; its ref goes, as after a pull request."""
        at = min(last.at + timedelta(minutes=2), self._year.anchor)
        files = branch.tree.contents(branch.tree.files, self._importing)
        name = branch.ref.removeprefix("refs/heads/")
        self._tip = self._importing.commit(
            _MAIN, _signed(last.person, at), f"Merge branch '{name}'\n", files, parents=(self._tip, branch.tip)
        )
        self._importing.delete(branch.ref)
        self._main.take_over(branch.tree)

    def _on_main(self, author: Signed, message: str, texts: dict[str, str]) -> None:
        parents = (self._tip,) if self._tip else ()
        self._tip = self._importing.commit(_MAIN, author, message, marks_of(self._importing, texts), parents=parents)

    def _text(self, path: str, lines: int) -> str:
        return content_of(self._filler.lines(path, lines)).decode()


def write_repository(path: Path, year: DemoYear, repository: DemoRepository, planned: Sequence[DemoCommit]) -> None:
    """Write the repository to `path`, where it stands complete or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    with suppress(FileNotFoundError):
        shutil.rmtree(draft)
    create_bare_repository(draft)
    with fast_import(draft) as importing:
        history = RepositoryHistory(year, repository, importing)
        history.play(planned)
    if history.noted:
        shas = object_ids(draft)
        notes = {
            shas[each.mark]: authorship_note(each.commit, each.session, shas[each.mark], each.written)
            for each in history.noted
        }
        with fast_import(draft) as importing:
            importing.notes(NOTES_REF, Signed("git-ai", "git-ai@example.com", year.anchor), notes)
    (draft / "marks").unlink()
    draft.rename(path)


def _signed(person: DemoPerson, at: datetime) -> Signed:
    return Signed(person.full_name, git_address(person), at.astimezone(ZoneInfo(person.time_zone)))
