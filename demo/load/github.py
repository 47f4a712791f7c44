"""The demo's simulated GitHub: a process of its own, with an ordinary connection."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from django.conf import settings

from demo.load.repositories import repositories_folder
from demo.plan.repositories import ORGANISATION_LOGIN, REPOSITORIES
from demo.providers.serve import FILE, DemoGitHub, serving_alone
from integrations.connectors.registered import connectors
from integrations.models import Connection, Stream
from integrations.sync.connect import Answers, connect
from integrations.sync.enqueue import pause, resume
from programs.models import DemoRun

CONNECTION_NAME = "GitHub of the demo"
_PROVIDER = "github"
_PATIENCE_SECONDS = 180.0  # it plays a whole year before it answers, on a machine that does other things as well
_SECONDS_BETWEEN_CHECKS = 0.25
_SECONDS_TO_END = 10.0


class GitHubAwayError(Exception):
    """The simulated GitHub did not start to answer."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"The demo's simulated GitHub at {url} did not answer within {_PATIENCE_SECONDS:.0f} s. "
            "Run `manage.py demo` again to try once more; everything else of the demo is there."
        )


def github_file() -> Path:
    """What says where the simulated GitHub is, and which year it shows."""
    return settings.DATA_DIR / FILE


@contextmanager
def simulated_github(run: DemoRun) -> Iterator[DemoGitHub]:
    """The simulated GitHub of the run; within the block it is served, by the launcher's process or one of our own.

    One of our own ends with the block.  Nothing is connected to it yet.
    """
    path = github_file()
    document = _described(run, DemoGitHub.read(path))
    document.write(path)
    with serving_alone(path) as alone:
        pass
    if not alone:
        yield document
        return
    command = [sys.executable, "-m", "demo.providers.serve", str(path)]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL)
    try:
        yield document
    finally:
        process.terminate()
        process.wait(_SECONDS_TO_END)


def follow_to_another_port(run: DemoRun) -> None:
    """Where another program took the port since, let server and connection go to another one."""
    path = github_file()
    before = DemoGitHub.read(path)
    document = _described(run, before)
    if before is not None and document != before:
        document.write(path)
        connect(_PROVIDER, CONNECTION_NAME, Answers({"base_url": document.url}, {"token": document.token}))


def connect_github(github: DemoGitHub) -> Connection:
    """Connect it once it answers, with everything that it has; asked for to be synced.  Raises GitHubAwayError."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _answers(github):
        if time.monotonic() > deadline:
            raise GitHubAwayError(github.url)
        time.sleep(_SECONDS_BETWEEN_CHECKS)
    connection = connect(
        _PROVIDER,
        CONNECTION_NAME,
        Answers({"base_url": github.url, "owners": ORGANISATION_LOGIN}, {"token": github.token}),
    )
    resume(connection)
    return connection


def streams_waiting() -> int:
    """The streams of the demo's repositories that were not read to their end yet."""
    expected = len(REPOSITORIES) * sum(map(len, connectors()[_PROVIDER].kinds.values()))
    of_demo = Stream.objects.filter(resource__connection__name=CONNECTION_NAME)
    return expected - of_demo.exclude(succeeded_at=None).count()


def rest_where_nobody_serves() -> None:
    """Pause the connection where the simulated GitHub ends with the command that filled the demo."""
    with serving_alone(github_file()) as alone:
        if alone:
            for connection in Connection.objects.filter(name=CONNECTION_NAME, provider=_PROVIDER):
                pause(connection)


def _described(run: DemoRun, before: DemoGitHub | None) -> DemoGitHub:
    """With the port and the token of before, as far as they still do."""
    return DemoGitHub(
        seed=run.seed,
        flavour=run.flavour,
        anchor=run.anchor.isoformat(),
        zone=str(settings.ORGANISATION_TIME_ZONE),
        repositories=str(repositories_folder()),
        port=before.port if before is not None and _is_usable(before) else _free_port(),
        token=before.token if before is not None else f"github_pat_{secrets.token_urlsafe(24)}",
    )


def _is_usable(github: DemoGitHub) -> bool:
    """Whether the port is free, or it is our own server that has it."""
    if _answers(github):
        return True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", github.port))
        except OSError:
            return False
        return True


def _answers(github: DemoGitHub) -> bool:
    try:
        answer = httpx.get(
            f"{github.url}/orgs/{ORGANISATION_LOGIN}",
            headers={"Authorization": f"Bearer {github.token}"},
            timeout=5,
            trust_env=False,
        )
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
