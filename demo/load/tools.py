"""The demo's simulated tools: one process that serves them all, and an ordinary connection to each."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from django.conf import settings
from django.db.models import QuerySet

from demo.load.repositories import repositories_folder
from demo.plan.repositories import ORGANISATION_LOGIN, REPOSITORIES
from demo.plan.stories import Flavour
from demo.plan.tools import group_of
from demo.providers.serve import EMAIL, FILE, LOGIN, DemoTools, serving_alone
from integrations.connectors.base import LABEL_PULL_REQUESTS, MIRROR_TICKETS, Settings
from integrations.connectors.github.connector import READ_CODE_SCANNING
from integrations.connectors.registered import connectors
from integrations.models import Connection, Stream
from integrations.sync.connect import connect
from integrations.sync.enqueue import pause, resume
from programs.models import DemoRun

# By provider, what an admin entered besides address and token.
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "github": {"owners": ORGANISATION_LOGIN, LABEL_PULL_REQUESTS: "true", READ_CODE_SCANNING: "true"},
    "jira": {"email": EMAIL, MIRROR_TICKETS: "true"},
    "jenkins": {
        "user": LOGIN,
        "deployments": f"{ORGANISATION_LOGIN}/*-rollout: "
        "environment={ENVIRONMENT}, service={SERVICE}, unplanned={HOTFIX}",
        "libraries": "*/jenkins-library",
    },
    "pagerduty": {},
    "harness": {
        "account": "acme",
        "deployments": "*: environment={environment}, repository={image}, sha={tag}, unplanned={hotfix}",
    },
    "servicenow": {
        "user": LOGIN,
        "deployments": "\n".join(
            f"{one.service or one.name}/*: environment=production, repository={ORGANISATION_LOGIN}/{one.name}"
            for one in REPOSITORIES
        ),
    },
    "anthropic": {"organisation": "console"},
    "gitlab": {"groups": ",".join(f"{ORGANISATION_LOGIN}/{group_of(one.team)}" for one in REPOSITORIES)},
    "azure": {},
    "bitbucket": {"workspace": ORGANISATION_LOGIN},
    "linear": {},
}
# By code host, what is asked to see whether it is ours, and answers.
_FIRST_PATHS: Mapping[str, str] = {
    "azure": "/_apis/projects?api-version=7.1",
    "bitbucket": f"/2.0/repositories/{ORGANISATION_LOGIN}",
    "github": f"/orgs/{ORGANISATION_LOGIN}",
    "gitlab": "/api/v4/groups",
}
_PATIENCE_SECONDS = 180.0  # they play a whole year before they answer, on a machine that does other things as well
_SECONDS_BETWEEN_CHECKS = 0.25
_SECONDS_TO_END = 10.0


class ToolsAwayError(Exception):
    """The simulated tools did not start in time."""

    def __init__(self, name: str, url: str) -> None:
        super().__init__(
            f"The demo's simulated {name} at {url} did not answer within {_PATIENCE_SECONDS:.0f} s. "
            "Run `manage.py demo` again to try once more; everything else of the demo is there."
        )


@contextmanager
def simulated_tools(run: DemoRun) -> Iterator[DemoTools]:
    """The simulated tools of the run; within the block they are served, by the launcher's process or a process of this
    call.

    A process of this call ends with the block, and the connections pause then.  Nothing is connected to them yet.
    """
    path = _file()
    tools = _described(run, DemoTools.read(path))
    tools.write(path)
    with serving_alone(path) as alone:
        pass
    if not alone:
        yield tools
        return
    command = [sys.executable, "-m", "demo.providers.serve", str(path)]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL)
    try:
        yield tools
    finally:
        _pause_all()
        process.terminate()
        process.wait(_SECONDS_TO_END)


def follow_to_another_port(run: DemoRun) -> None:
    """Move servers and connections to other ports if another program has taken theirs."""
    path = _file()
    before = DemoTools.read(path)
    if before is None:  # an earlier version's demo, whose tools nobody serves any more
        _pause_all()
        return
    tools = _described(run, before)
    if tools != before:
        tools.write(path)
        for connection in _connections():
            _connect(tools, connection.provider, {})


def connect_tools(tools: DemoTools) -> None:
    """Connect each tool once it responds, with all its resources, and request its sync.  Raises ToolsAwayError."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _answer(tools):
        if time.monotonic() > deadline:
            code = tools.of_flavour.code
            raise ToolsAwayError(connectors()[code].name, tools.url_of(code))
        time.sleep(_SECONDS_BETWEEN_CHECKS)
    for provider in reversed(tools.of_flavour.providers):
        resume(_connect(tools, provider, SETTINGS[provider]))


def tools_waiting() -> int:
    """The number of tools whose repositories, projects, jobs and services have not been listed yet."""
    return _connections().filter(discovered_at=None).count()


def streams_waiting() -> int:
    """The number of the tools' streams that have not been read completely."""
    return Stream.objects.filter(resource__connection__in=_connections(), succeeded_at=None).count()


def _file() -> Path:
    """The file that records where the simulated tools are and which year they show."""
    return settings.DATA_DIR / FILE


def _name(provider: str) -> str:
    return f"{connectors()[provider].name} of the demo"


def _connections() -> QuerySet[Connection]:
    return Connection.objects.filter(name__in=map(_name, SETTINGS))


def _pause_all() -> None:
    for connection in _connections():
        pause(connection)


def _connect(tools: DemoTools, provider: str, entered: Mapping[str, str]) -> Connection:
    return connect(provider, _name(provider), _answers(tools, provider, entered))


def _answers(tools: DemoTools, provider: str, entered: Mapping[str, str]) -> Settings:
    return Settings({"base_url": tools.url_of(provider), **entered}, {"token": tools.token})


def _described(run: DemoRun, before: DemoTools | None) -> DemoTools:
    """The description of the tools, with the ports and the token of `before` if they are still usable."""
    return DemoTools(
        seed=run.seed,
        flavour=run.flavour,
        anchor=run.anchor.isoformat(),
        zone=str(settings.ORGANISATION_TIME_ZONE),
        repositories=str(repositories_folder()),
        ports=before.ports if before is not None and _has_all(before) and _are_usable(before) else _free_ports(run),
        token=before.token if before is not None else f"github_pat_{secrets.token_urlsafe(24)}",
    )


def _has_all(tools: DemoTools) -> bool:
    """Whether each tool has a port: an earlier version's demo has fewer tools."""
    return set(tools.of_flavour.providers) <= tools.ports.keys()


def _are_usable(tools: DemoTools) -> bool:
    """Whether the ports are free, or in use by this demo's own servers."""
    if _answer(tools):
        return True
    with ExitStack() as probes:
        for port in tools.ports.values():
            probe = probes.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def _answer(tools: DemoTools) -> bool:
    """Whether the code host, which starts last, accepts the demo's token."""
    code = tools.of_flavour.code
    host = connectors()[code](_answers(tools, code, SETTINGS[code]))
    try:
        answer = httpx.get(
            f"{tools.url_of(code)}{_FIRST_PATHS[code]}", headers=dict(host.sign(None)), timeout=5, trust_env=False
        )
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK


def _free_ports(run: DemoRun) -> dict[str, int]:
    """Free ports by provider."""
    with ExitStack() as probes:
        ports = {}
        for provider in Flavour(run.flavour).tools.providers:
            probe = probes.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            ports[provider] = int(probe.getsockname()[1])
    return ports
