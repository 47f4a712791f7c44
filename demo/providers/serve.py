"""The demo's simulated tools, and the API of a vendor of agents, as a process: `python -m demo.providers.serve FILE`.

FILE says what to serve and where (DemoTools).  The process waits until it is there, and while it serves it holds a lock
beside it: whoever wants the tools starts one where nobody does.  It loads no Django, and stays small.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

from demo.plan.delivery import DeliveryHistory
from demo.plan.delivery_history import demo_history
from demo.plan.repositories import BUILT_IN_JENKINS, CODE_HOST, ORGANISATION_LOGIN, REPOSITORIES
from demo.plan.stories import Flavour
from demo.plan.vendor_bill import bill_of
from demo.plan.year import DemoYear
from demo.providers.anthropic_server import AnthropicServer
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from demo.providers.harness_server import HarnessServer
from demo.providers.jenkins_server import JenkinsServer
from demo.providers.jira_issues import account
from demo.providers.jira_server import JiraServer
from demo.providers.pagerduty_server import PagerDutyServer
from demo.providers.servicenow_server import ServiceNowServer
from demo.providers.simulated_server import SimulatedServer

FILE = Path("demo", "tools.json")  # within the data directory
_SECONDS_BETWEEN_CHECKS, _SECONDS_UNTIL_ANOTHER_TRY = 0.5, 5.0
LOGIN = "headway-reader"  # of the account in each tool that the token is of
EMAIL = f"{LOGIN}@example.com"
# As a GitHub App on Enterprise Cloud has it: the demo reads a year in one go, and is to be quick.
_REQUESTS_AN_HOUR = 15_000
_SERVICES = {repository.name: repository.service for repository in REPOSITORIES}
_BUILT_AT_GITHUB = frozenset(repository.name for repository in REPOSITORIES) - BUILT_IN_JENKINS


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
    """All of them, or none, after a pause, where somebody else has a port; the next demo run picks others."""
    servers: list[SimulatedServer] = []
    try:
        for provider in Flavour(tools.flavour).tools:
            server = _SERVERS[provider](tools, history)
            server.start()
            servers.append(server)
    except OSError as problem:
        sys.stderr.write(f"The demo's simulated tools cannot listen at {sorted(tools.ports.values())}: {problem}\n")
        for server in servers:
            server.stop()
        time.sleep(_SECONDS_UNTIL_ANOTHER_TRY)
        return []
    return servers


def _github(tools: DemoTools, history: DeliveryHistory) -> SimulatedServer:
    """Everything but work items, and what is built in Jenkins or Harness."""
    return GitHubServer(
        replace(_delivered(history, _BUILT_AT_GITHUB), issues=()),
        tokens=[Token(tools.token, LOGIN)],
        limit=_REQUESTS_AN_HOUR,
        web=f"https://{CODE_HOST}",
        port=tools.ports["github"],
    )


def _jira(tools: DemoTools, history: DeliveryHistory) -> SimulatedServer:
    server = JiraServer(
        history,
        email=EMAIL,
        token=tools.token,
        web=_web("jira"),
        written_file=Path(tools.repositories).with_name("written_issues.json"),
        port=tools.ports["jira"],
    )
    server.written.accounts = [dict(shown) for of in history.accounts if of.email and (shown := account(of))]
    return server


def _jenkins(tools: DemoTools, history: DeliveryHistory) -> SimulatedServer:
    return JenkinsServer(
        _delivered(history, BUILT_IN_JENKINS),
        user=LOGIN,
        token=tools.token,
        code_host=f"https://{CODE_HOST}/{ORGANISATION_LOGIN}",
        web=_web("jenkins"),
        port=tools.ports["jenkins"],
    )


def _harness(tools: DemoTools, history: DeliveryHistory) -> SimulatedServer:
    """The part of the history that is built in Jenkins, where there is one."""
    return HarnessServer(
        _delivered(history, BUILT_IN_JENKINS),
        token=tools.token,
        services=_SERVICES,
        code_host=f"https://{CODE_HOST}/{ORGANISATION_LOGIN}",
        port=tools.ports["harness"],
    )


def _pagerduty(tools: DemoTools, history: DeliveryHistory) -> SimulatedServer:
    return PagerDutyServer(
        history, token=tools.token, services=_SERVICES, web=_web("pagerduty"), port=tools.ports["pagerduty"]
    )


def _servicenow(tools: DemoTools, history: DeliveryHistory) -> SimulatedServer:
    """Incidents, and a change request beside each deployment to production."""
    return ServiceNowServer(
        history,
        user=LOGIN,
        token=tools.token,
        services=_SERVICES,
        web=_web("servicenow"),
        port=tools.ports["servicenow"],
    )


def _anthropic(tools: DemoTools, history: DeliveryHistory) -> SimulatedServer:
    """The bill of the demo's sessions, as of now."""
    return AnthropicServer(partial(bill_of, tools.year), token=tools.token, port=tools.ports["anthropic"])


def _delivered(history: DeliveryHistory, repositories: Collection[str]) -> DeliveryHistory:
    """The history with runs and deployments of these repositories only."""
    return replace(
        history,
        runs=tuple(run for run in history.runs if run.repository.name in repositories),
        deployments=tuple(
            deployment for deployment in history.deployments if deployment.repository.name in repositories
        ),
    )


def _web(provider: str) -> str:
    """The fictional web address of the provider's pages, independent of the port."""
    return f"https://{provider}.example.com"


_SERVERS: Mapping[str, Callable[[DemoTools, DeliveryHistory], SimulatedServer]] = {
    "anthropic": _anthropic,
    "github": _github,
    "harness": _harness,
    "jenkins": _jenkins,
    "jira": _jira,
    "pagerduty": _pagerduty,
    "servicenow": _servicenow,
}


if __name__ == "__main__":
    os.nice(5)  # pages come first
    serve(Path(sys.argv[1]))
