"""The demo's simulated GitHub as a process: `python -m demo.providers.serve FILE`.

FILE says what to serve and where (DemoGitHub).  The process waits until it is there, and while it serves it holds a
lock beside it: whoever wants the demo's GitHub starts one where nobody does.  It loads no Django, and stays small.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

from demo.plan.delivery import DeliveryHistory
from demo.plan.delivery_history import demo_history
from demo.plan.repositories import CODE_HOST
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer

FILE = Path("demo", "github.json")  # within the data directory
_SECONDS_BETWEEN_CHECKS, _SECONDS_UNTIL_ANOTHER_TRY = 0.5, 5.0
_LOGIN = "headway-reader"
# As a GitHub App on Enterprise Cloud has it: the demo reads a year in one go, and is to be quick.
_REQUESTS_AN_HOUR = 15_000


@dataclass(frozen=True, slots=True)
class DemoGitHub:
    """Which year is served from which repositories, at which port of loopback, to whoever has the token."""

    seed: int
    flavour: str
    anchor: str  # ISO 8601
    zone: str  # the organisation's
    repositories: str
    port: int
    token: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def year(self) -> DemoYear:
        anchor = datetime.fromisoformat(self.anchor).astimezone(ZoneInfo(self.zone))
        return DemoYear(self.seed, Flavour(self.flavour), anchor)

    def write(self, path: Path) -> None:
        """Readable to its owner alone, for it has the token; complete or not at all."""
        draft = path.with_name(f".{path.name}.draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(path)

    @staticmethod
    def read(path: Path) -> DemoGitHub | None:
        """None where there is no such file."""
        try:
            return DemoGitHub(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None


@contextmanager
def serving_alone(path: Path) -> Iterator[bool]:
    """Whether nobody else serves what the file says, nor waits to; nobody does within the block, then."""
    lock = path.with_name(f"{path.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def serve(path: Path) -> NoReturn:
    """Serve what the file says once it is there, until the process is ended."""
    while True:
        with serving_alone(path) as alone:
            if alone:
                _serve_alone(path)
        time.sleep(_SECONDS_BETWEEN_CHECKS)


def _serve_alone(path: Path) -> NoReturn:
    served: DemoGitHub | None = None
    server: GitHubServer | None = None
    while True:
        document = DemoGitHub.read(path)
        if document is not None and document != served:
            if server is not None:
                server.stop()
                server = None
            history = history_of(document)
            while history is not None and server is None and DemoGitHub.read(path) == document:
                server = _listening(document, history)
            served = document
        time.sleep(_SECONDS_BETWEEN_CHECKS)


def history_of(demo_github: DemoGitHub) -> DeliveryHistory | None:
    """None where the repositories do not hold the year: another version of the demo wrote them, or they are gone."""
    try:
        return demo_history(demo_github.year, Path(demo_github.repositories))
    except (LookupError, OSError, subprocess.CalledProcessError):
        sys.stderr.write(
            f"The repositories in {demo_github.repositories} are not those of this version's demo: its simulated "
            "GitHub rests, and what was read stays. A demo in another data folder has one that answers.\n"
        )
        return None


def _listening(demo_github: DemoGitHub, history: DeliveryHistory) -> GitHubServer | None:
    """None, after a pause, where somebody else has the port; the next demo run picks another one."""
    try:
        server = GitHubServer(
            history,
            tokens=[Token(demo_github.token, _LOGIN)],
            limit=_REQUESTS_AN_HOUR,
            web=f"https://{CODE_HOST}",
            port=demo_github.port,
        )
    except OSError as problem:
        sys.stderr.write(f"The simulated GitHub cannot listen at {demo_github.url}: {problem}\n")
        time.sleep(_SECONDS_UNTIL_ANOTHER_TRY)
        return None
    server.start()
    return server


if __name__ == "__main__":
    os.nice(5)  # pages come first
    serve(Path(sys.argv[1]))
