"""The demo's simulated tools, and the API of a vendor of agents, as a process: `python -m demo.providers.serve FILE`.

FILE says what to serve and where (DemoTools).  The process waits until the file exists, and holds a lock beside it
while it serves: whoever needs the tools starts a process if none is serving.  It loads no Django, and stays small.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

from demo.plan.delivery import DeliveryHistory
from demo.plan.delivery_history import demo_history
from demo.plan.repositories import ORGANISATION_LOGIN, REPOSITORIES
from demo.plan.stories import Flavour
from demo.plan.tools import Tools
from demo.plan.vendor_bill import bill_of
from demo.plan.year import DemoYear
from demo.providers.anthropic_server import AnthropicServer
from demo.providers.azure_server import AzureServer
from demo.providers.bitbucket_server import BitbucketServer
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from demo.providers.gitlab_server import GitLabServer
from demo.providers.harness_server import HarnessServer
from demo.providers.jenkins_server import JenkinsServer
from demo.providers.jira_issues import account
from demo.providers.jira_server import JiraServer
from demo.providers.linear_server import LinearServer
from demo.providers.pagerduty_server import PagerDutyServer
from demo.providers.parts import part_of
from demo.providers.servicenow_server import ServiceNowServer
from demo.providers.simulated_server import SimulatedServer

FILE = Path("demo", "tools.json")  # within the data directory
_SECONDS_BETWEEN_CHECKS, _SECONDS_UNTIL_ANOTHER_TRY = 0.5, 5.0
LOGIN = "headway-reader"  # of the account in each tool that the token is of
EMAIL = f"{LOGIN}@example.com"
# As a GitHub App on Enterprise Cloud has it: the demo reads a year in one go, and is to be quick.
_REQUESTS_AN_HOUR = 15_000
_SERVICES = {repository.name: repository.service for repository in REPOSITORIES}
_TEAMS = {repository.name: repository.team for repository in REPOSITORIES}


@dataclass(frozen=True, slots=True)
class DemoTools:
    """The simulated tools: the year and repositories that they serve, their ports on loopback, and the token."""

    seed: int
    flavour: str
    anchor: str  # ISO 8601
    zone: str  # the organisation's
    repositories: str
    ports: Mapping[str, int]  # by provider
    token: str  # of every tool

    def url_of(self, provider: str) -> str:
        return f"http://127.0.0.1:{self.ports[provider]}"

    @property
    def of_flavour(self) -> Tools:
        return Flavour(self.flavour).tools

    @property
    def year(self) -> DemoYear:
        anchor = datetime.fromisoformat(self.anchor).astimezone(ZoneInfo(self.zone))
        return DemoYear(self.seed, Flavour(self.flavour), anchor)

    def write(self, path: Path) -> None:
        """Write the file, readable only by its owner because it contains the token; it appears only once it is
        complete.
        """
        draft = path.with_name(f".{path.name}.draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(path)

    @staticmethod
    def read(path: Path) -> DemoTools | None:
        """The tools that the file describes; None without a file."""
        try:
            return DemoTools(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None


@contextmanager
def serving_alone(path: Path) -> Iterator[bool]:
    """Whether this process alone serves the file's tools, which holds within the block."""
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
    served: DemoTools | None = None
    servers: list[SimulatedServer] = []
    while True:
        tools = DemoTools.read(path)
        if tools is not None and tools != served:
            for server in servers:
                server.stop()
            servers = []
            history = history_of(tools)
            while history is not None and not servers and DemoTools.read(path) == tools:
                servers = _listening(tools, history)
            served = tools
        time.sleep(_SECONDS_BETWEEN_CHECKS)


def history_of(tools: DemoTools) -> DeliveryHistory | None:
    """The year's history; None if the repositories are missing, or another version of the demo wrote them."""
    try:
        return demo_history(tools.year, Path(tools.repositories))
    except (LookupError, OSError, subprocess.CalledProcessError):
        sys.stderr.write(
            f"The repositories in {tools.repositories} are not those of this version's demo: its simulated tools rest, "
            "and what was read stays. A demo in another data folder has tools that answer.\n"
        )
        return None


def _listening(tools: DemoTools, history: DeliveryHistory) -> list[SimulatedServer]:
    """All servers; or none, after a pause, if another program has a port: the next demo run picks others."""
    servers: list[SimulatedServer] = []
    try:
        for provider in tools.of_flavour.providers:
            server = server_of(provider, tools, history)
            server.start()
            servers.append(server)
    except OSError as problem:
        sys.stderr.write(f"The demo's simulated tools cannot listen at {sorted(tools.ports.values())}: {problem}\n")
        for server in servers:
            server.stop()
        time.sleep(_SECONDS_UNTIL_ANOTHER_TRY)
        return []
    return servers


def _github(tools: DemoTools, part: DeliveryHistory) -> SimulatedServer:
    return GitHubServer(
        part,
        tokens=[Token(tools.token, LOGIN)],
        limit=_REQUESTS_AN_HOUR,
        web=_code_host(tools),
        port=tools.ports["github"],
    )


def _gitlab(tools: DemoTools, part: DeliveryHistory) -> SimulatedServer:
    return GitLabServer(part, token=tools.token, teams=_TEAMS, web=_code_host(tools), port=tools.ports["gitlab"])


def _azure(tools: DemoTools, part: DeliveryHistory) -> SimulatedServer:
    web = f"{_code_host(tools)}/{ORGANISATION_LOGIN}"
    return AzureServer(part, token=tools.token, teams=_TEAMS, web=web, port=tools.ports["azure"])


def _bitbucket(tools: DemoTools, part: DeliveryHistory) -> SimulatedServer:
    return BitbucketServer(part, token=tools.token, web=_code_host(tools), port=tools.ports["bitbucket"])


def _jira(tools: DemoTools, part: DeliveryHistory) -> SimulatedServer:
    server = JiraServer(
        part,
        email=EMAIL,
        token=tools.token,
        web=_web("jira"),
        written_file=Path(tools.repositories).with_name("written_issues.json"),
        port=tools.ports["jira"],
    )
    server.written.accounts = [dict(shown) for of in part.accounts if of.email and (shown := account(of))]
    return server


def _linear(tools: DemoTools, part: DeliveryHistory) -> SimulatedServer:
    return LinearServer(part, token=tools.token, web=_web("linear"), port=tools.ports["linear"])


def _jenkins(tools: DemoTools, part: DeliveryHistory) -> SimulatedServer:
    return JenkinsServer(
        part,
        user=LOGIN,
        token=tools.token,
        code_host=f"{_code_host(tools)}/{ORGANISATION_LOGIN}",
        web=_web("jenkins"),
        port=tools.ports["jenkins"],
    )


def _harness(tools: DemoTools, part: DeliveryHistory) -> SimulatedServer:
    return HarnessServer(
        part,
        token=tools.token,
        services=_SERVICES,
        code_host=f"{_code_host(tools)}/{ORGANISATION_LOGIN}",
        port=tools.ports["harness"],
    )


def _pagerduty(tools: DemoTools, part: DeliveryHistory) -> SimulatedServer:
    return PagerDutyServer(
        part, token=tools.token, services=_SERVICES, web=_web("pagerduty"), port=tools.ports["pagerduty"]
    )


def _servicenow(tools: DemoTools, part: DeliveryHistory) -> SimulatedServer:
    """Incidents, and a change request beside each deployment to production."""
    return ServiceNowServer(
        part,
        user=LOGIN,
        token=tools.token,
        services=_SERVICES,
        web=_web("servicenow"),
        port=tools.ports["servicenow"],
    )


def _anthropic(tools: DemoTools, part: DeliveryHistory) -> SimulatedServer:
    """The bill of the demo's sessions, as of now."""
    return AnthropicServer(partial(bill_of, tools.year), token=tools.token, port=tools.ports["anthropic"])


def _code_host(tools: DemoTools) -> str:
    return f"https://{tools.of_flavour.host}"


def _web(provider: str) -> str:
    """The fictional web address of the provider's pages, independent of the port."""
    return f"https://{provider}.example.com"


_SERVERS: Mapping[str, Callable[[DemoTools, DeliveryHistory], SimulatedServer]] = {
    "anthropic": _anthropic,
    "azure": _azure,
    "bitbucket": _bitbucket,
    "github": _github,
    "gitlab": _gitlab,
    "harness": _harness,
    "jenkins": _jenkins,
    "jira": _jira,
    "linear": _linear,
    "pagerduty": _pagerduty,
    "servicenow": _servicenow,
}


def server_of(provider: str, tools: DemoTools, history: DeliveryHistory) -> SimulatedServer:
    """The provider's server, which shows its part of the history; it has its port, and does not answer yet."""
    return _SERVERS[provider](tools, part_of(history, tools.of_flavour, provider))


if __name__ == "__main__":
    os.nice(5)  # pages come first
    serve(Path(sys.argv[1]))
