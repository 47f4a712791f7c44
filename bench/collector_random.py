"""Random histories of agents, people and git, with an oracle that knows who wrote each line.

Every line of text is written once, by one hand, so that the text alone names its writer; the oracle asks git which
lines a commit adds and nothing else.  It shares no code with the collector.
"""

from __future__ import annotations

import random

from bench.collector_cases import Truth
from bench.collector_world import World

FILES = ("app.py", "src/deep/model.py", "notes.md")
SESSIONS = {"s-1": "claude_code", "s-2": "codex", "s-3": "gemini_cli"}


class RandomHistory:
    """A person and three sessions at work in one repository."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)  # noqa: S311  # no secret
        self.writers: dict[str, str] = {}
        self.branches = 0
        world.write(FILES[0], *self.fresh("", 4))
        world.commit()

    def fresh(self, writer: str, count: int) -> list[str]:
        lines = [
            f"{'    ' * self.random.randrange(3)}line_{len(self.writers) + number} = work()" for number in range(count)
        ]
        self.writers.update((line.strip(), writer) for line in lines)
        return lines

    def edited(self, name: str, writer: str) -> list[str]:
        """The file with lines added, removed and replaced."""
        path = self.world.repository / name
        lines = path.read_text().splitlines() if path.exists() else []
        for _ in range(self.random.randint(1, 3)):
            start = self.random.randint(0, len(lines))
            end = min(len(lines), start + self.random.choice((0, 0, 0, 1, 2)))
            lines[start:end] = self.fresh(writer, self.random.randint(1, 3))
        return lines

    def step(self) -> None:
        name = self.random.choice(FILES)
        act = self.random.choice(
            (
                *("agent", "agent", "agent", "person", "person", "shell", "commit", "commit", "amend", "stash"),
                *("branch", "rebase", "pick", "reset", "part", "reindent"),
            )
        )
        getattr(self, act)(name)

    def agent(self, name: str) -> None:
        session = self.random.choice(sorted(SESSIONS))
        self.world.edit(session, name, *self.edited(name, session), agent=SESSIONS[session])

    def person(self, name: str) -> None:
        self.world.write(name, *self.edited(name, ""))

    def shell(self, name: str) -> None:
        (line,) = self.fresh("s-1", 1)
        self.world.shell("s-1", f"mkdir -p src/deep; echo '{line}' >> {name}")

    def reindent(self, name: str) -> None:
        path = self.world.repository / name
        if path.exists():
            self.world.write(name, *(f"\t{line.strip()}" for line in path.read_text().splitlines()))

    def commit(self, name: str) -> None:
        self.world.git("add", "-A")
        if self.world.git("status", "--porcelain"):
            self.world.commit("-m", "change")

    def part(self, name: str) -> None:
        """Commit one file only."""
        if (self.world.repository / name).exists():
            self.world.git("add", name)
            if self.world.git("diff", "--cached", "--name-only"):
                self.world.commit("-m", "part")

    def amend(self, name: str) -> None:
        self.world.git("add", "-A")
        if self.world.git("log", "--oneline").count("\n") >= 1:
            self.world.git("commit", "-q", "--amend", "-m", "amended", "--allow-empty")

    def stash(self, name: str) -> None:
        """Stash uncommitted work while a person commits something else."""
        self.world.git("add", "-A")
        if self.world.git("status", "--porcelain"):
            self.world.git("stash", "-q")
            self.world.write(f"other{len(self.writers)}.py", *self.fresh("", 2))
            self.commit(name)
            self.world.git("stash", "pop", "-q")

    def branch(self, name: str) -> None:
        """A branch of two commits that is merged as one."""
        self.commit(name)
        self.branches += 1
        self.world.git("switch", "-qc", f"branch{self.branches}")
        for _ in range(2):
            self.agent(name)
            self.commit(name)
        self.world.git("switch", "-q", "main")
        self.world.git("merge", "-q", "--squash", f"branch{self.branches}")
        self.commit(name)

    def rebase(self, name: str) -> None:
        """Rewrite the last commit on another base."""
        self.commit(name)
        if self.world.git("log", "--oneline").count("\n") < 2:
            return
        self.world.git("branch", "-qf", "last", "HEAD")
        self.world.git("reset", "-q", "--hard", "HEAD^")
        self.world.write(f"base{len(self.writers)}.py", *self.fresh("", 1))
        self.commit(name)
        self.world.git("rebase", "-q", "main", "last")
        self.world.git("switch", "-qC", "main", "last")

    def pick(self, name: str) -> None:
        """Pick a commit of a side branch."""
        self.commit(name)
        self.branches += 1
        self.world.git("switch", "-qc", f"side{self.branches}")
        self.agent(f"picked{self.branches}.py")
        self.commit(name)
        self.world.git("switch", "-q", "main")
        self.world.git("cherry-pick", f"side{self.branches}")

    def reset(self, name: str) -> None:
        """Undo the last commit, leaving its changes in the work tree."""
        if self.world.git("log", "--oneline").count("\n") >= 2:
            self.world.git("reset", "-q", self.random.choice(("--soft", "--mixed")), "HEAD^")

    def truth(self) -> Truth:
        """The lines of each session in every commit of main, by the text of the lines that git shows."""
        counts: dict[str, dict[str, int]] = {}
        for sha in self.world.git("rev-list", "--no-merges", "main").split():
            of_commit = counts.setdefault(sha, {})
            for line in self.world.git("show", "--format=", "-U0", "-M", sha).splitlines():
                writer = self.writers.get(line[1:].strip(), "") if line.startswith("+") else ""
                if writer:
                    of_commit[writer] = of_commit.get(writer, 0) + 1
        return counts


def random_history(world: World, seed: int, steps: int = 25) -> Truth:
    history = RandomHistory(world, seed)
    for _ in range(steps):
        history.step()
    history.commit(FILES[0])
    return history.truth()
