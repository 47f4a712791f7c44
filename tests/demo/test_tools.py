"""The demo's simulated tools and its connections to them, from one start to the next."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from django.conf import LazySettings

from config.launcher.main import main
from demo.load.tools import follow_to_another_port
from demo.providers.jira_server import JiraServer
from demo.providers.serve import FILE, DemoTools
from integrations.connectors.base import Settings
from integrations.models import Connection
from integrations.sync.connect import connect
from programs.models import DemoRun
from tests.demo.small_history import small_history

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.fixture
def run(db: None, settings: LazySettings, tmp_path: Path) -> DemoRun:
    settings.DATA_DIR = tmp_path
    (tmp_path / FILE).parent.mkdir()
    return DemoRun.objects.create(pk=1, seed=1, flavour="small-quiet", anchor=NOW, completed_at=NOW)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other_program:
        other_program.bind(("127.0.0.1", 0))
        other_program.listen()
        yield int(other_program.getsockname()[1])


def _written(run: DemoRun, tmp_path: Path, *, jira: int) -> DemoTools:
    ports = {"github": 1, "jira": jira, "jenkins": 1, "pagerduty": 1, "anthropic": 1}
    folder = str(tmp_path / "demo" / "repositories")
    tools = DemoTools(1, run.flavour, run.anchor.isoformat(), "UTC", folder, ports, "secret")
    tools.write(tmp_path / FILE)
    return tools


def test_connections_follow_where_another_program_took_a_port(run: DemoRun, tmp_path: Path, taken_port: int) -> None:
    before = _written(run, tmp_path, jira=taken_port)
    rule = "acme/*-rollout: environment={ENVIRONMENT}"  # an admin's own
    answers = Settings({"base_url": before.url_of("jenkins"), "user": "x", "deployments": rule}, {"token": "secret"})
    connect("jenkins", "Jenkins of the demo", answers)

    follow_to_another_port(run)

    after = DemoTools.read(tmp_path / FILE)
    assert after is not None
    assert set(after.ports) == set(before.ports)
    assert not set(after.ports.values()) & set(before.ports.values())
    [jenkins] = Connection.objects.all()  # what an admin removed stays removed
    assert (jenkins.settings["base_url"], jenkins.settings["deployments"]) == (after.url_of("jenkins"), rule)
    assert jenkins.secrets["token"] == after.token == "secret"


def test_up_names_the_flavours_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--flavour=gitlub"])
    assert "'bitbucket-linear'" in capsys.readouterr().err


def test_what_was_written_in_jira_is_there_at_the_next_start(tmp_path: Path) -> None:
    def jira() -> JiraServer:
        return JiraServer(small_history(), email="ada@example.com", token="x", written_file=tmp_path / "issues.json")

    auth = ("ada@example.com", "x")
    fields = {"project": {"id": "101"}, "issuetype": {"id": "10"}, "summary": "Reviews wait", "labels": ["mirrored"]}
    with jira() as first:
        address = f"{first.url}/rest/api/3/issue"
        created = httpx.post(address, json={"fields": fields}, auth=auth, trust_env=False).json()
    with jira() as second:
        address = f"{second.url}/rest/api/3/issue/{created['key']}"
        assert httpx.get(address, auth=auth, trust_env=False).json()["fields"]["summary"] == "Reviews wait"
