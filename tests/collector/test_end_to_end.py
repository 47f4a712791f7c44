"""From the hooks of an agent on a machine to the lines on a commit's page, over a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bench.collector_cases import A3, B3, HUMAN
from bench.collector_world import World
from integrations.code.attribution.tasks import attribute_pending
from integrations.collector.machines import FEWEST_LINELESS, NO_LINES, add_machine
from integrations.collector.reports import HOOK_STATES
from integrations.models import (
    CollectedLines,
    CollectorMachine,
    CommitEvidence,
    IngestScope,
    IngestToken,
    Method,
    RepositorySource,
)
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from orgtree.models import IndividualPolicy, Organisation, Person
from tests.code.attribution.world import attributed
from tests.collector.door import Door
from tests.collector.test_sessions import CONVERSATION, SECRET, write
from tests.personas import ADMIN, MEMBER, signed_in
from tests.servers import PROJECT_DIR

pytestmark = pytest.mark.django_db


SIGNED = "Add\n\nCo-authored-by: Claude <noreply@anthropic.com>"


def ada() -> Person:
    return Person.objects.get_or_create(full_name="Ada Example", email="ada@example.com")[0]


def deliver(door: Door) -> None:
    """What arrived at the door, to Headway."""
    for token, report in door.arrived:
        response = Client(headers={"Authorization": token}).post("/collector/v1/reports", report, "application/json")
        assert (response.status_code, response.json()) == (200, {"accepted": len(report["commits"])})


def sync(world: World) -> None:
    sync_source(RepositorySource.objects.get(external_id=str(world.repository)))
    attribute_pending()


@pytest.mark.parametrize("report_first", [True, False])
def test_lines_of_agents_reach_the_page_of_the_commit(tmp_path: Path, door: Door, report_first: bool) -> None:
    """Two sessions and a person in one commit; the report comes before the commit is known, or after."""
    world = World(tmp_path, server=door.address, token=add_machine(ada(), "laptop"))
    world.edit("s-1", "app.py", *HUMAN, *A3)
    world.edit("s-2", "notes.md", "written by codex", agent="codex")
    world.insert("app.py", A3[2], "typed = 'by hand'")
    sha = world.commit()
    if report_first:
        deliver(door)
    connect_git(world.repository)
    sync(world)
    if not report_first:
        deliver(door)
        attribute_pending()
    assert attributed() == {("claude_code", ""): {"app.py": 5}, ("codex", ""): {"notes.md": 1}}
    evidence = CommitEvidence.objects.filter(withdrawn_at=None, method=Method.LINE_CHECKPOINT)
    assert sorted(evidence.values_list("external_session", flat=True)) == ["s-1", "s-2"]
    page = signed_in(ADMIN).get(f"/insights/ai/attribution/{sha}/").content.decode()
    assert "Line checkpoints" in page
    assert "s-1, without telemetry" in page


def test_a_report_is_counted_once_however_often_it_comes(tmp_path: Path, door: Door) -> None:
    world = World(tmp_path, server=door.address, token=add_machine(ada(), "laptop"))
    world.edit("s-1", "app.py", *A3)
    world.commit()
    deliver(door)
    connect_git(world.repository)
    sync(world)
    before = list(CommitEvidence.objects.values())
    deliver(door)
    deliver(door)
    attribute_pending()
    assert list(CommitEvidence.objects.values()) == before
    assert CollectedLines.objects.count() == 1
    assert CollectorMachine.objects.count() == 1


def test_a_squash_on_the_host_takes_the_lines_of_its_branch(tmp_path: Path, door: Door) -> None:
    world = World(tmp_path, server=door.address, token=add_machine(ada(), "laptop"))
    world.write("app.py", *HUMAN)
    world.commit()
    world.git("switch", "-qc", "work")
    world.edit("s-1", "app.py", *HUMAN, *A3)
    world.commit()
    world.edit("s-2", "more.py", *B3)
    world.insert("app.py", A3[2], "typed = 'by hand'")
    world.commit()
    world.git("switch", "-q", "main")
    world.git("merge", "-q", "--squash", "work")
    # The host has no collector, and its own committer.
    world.git("-c", "core.hooksPath=/dev/null", "-c", "user.email=host@example.com", "commit", "-qm", "one (#1)")
    deliver(door)
    connect_git(world.repository)
    sync(world)
    assert attributed() == {("claude_code", ""): {"app.py": 3, "more.py": 3}}


def test_a_machine_speaks_of_its_own_persons_commits_alone(tmp_path: Path, door: Door) -> None:
    """Somebody else's token names Ada's commit: nothing comes of it."""
    eve = Person.objects.create(full_name="Eve", email="eve@example.com")
    world = World(tmp_path, server=door.address, token=add_machine(eve, "laptop"))
    world.edit("s-1", "app.py", *A3)
    world.commit()
    deliver(door)
    connect_git(world.repository)
    sync(world)
    assert CollectedLines.objects.count() == 1
    assert attributed() == {}


def test_what_is_sent_is_what_the_docs_say(tmp_path: Path, door: Door) -> None:
    """Every field of a captured upload has its row on the page, and no row is of anything else."""
    world = World(tmp_path, server=door.address)
    for number, agent in enumerate(("claude_code", "codex", "cursor")):
        world.edit(f"session-{agent}", f"secret folder/hidden{number}.py", f"confidential = {number}", agent=agent)
    world.shell("session-claude_code", "echo password=hunter2 > .env; echo 'confidential=4' > more.sh")
    write(world.home / ".claude" / "projects" / "secret folder" / "hidden.jsonl", CONVERSATION)
    world.agent("backfill", "--days", "2")
    world.commit()
    sent = {path for _, report in door.arrived for path in paths_of(report)}
    page = (PROJECT_DIR / "docs" / "collector.md").read_text(encoding="utf-8")
    section = page.split("## What leaves the machine")[1].split("\n## ")[0]
    documented = {line.split("`")[1] for line in section.splitlines() if line.startswith("| `")}
    assert sent == documented
    everything = json.dumps([report for _, report in door.arrived])
    for secret in (
        "secret folder",
        "hidden",
        "confidential",
        "hunter2",
        "password",
        SECRET,
        str(tmp_path),
        "ada@example.com",
    ):
        assert secret not in everything
    assert [commit["file_types"] for commit in door.commits][-1] == [
        {"type": "", "added": 1, "sessions": [counted("claude_code", 1)]},
        {
            "type": ".py",
            "added": 3,
            "sessions": [counted("claude_code", 1), counted("codex", 1), counted("cursor", 1)],
        },
        {"type": ".sh", "added": 1, "sessions": [counted("claude_code", 1)]},
    ]


def counted(agent: str, lines: int) -> dict[str, Any]:
    return {"agent": agent, "session": f"session-{agent}", "model": "", "lines": lines}


def paths_of(value: object, path: str = "") -> Iterator[str]:
    """Paths of all leaves; names of agents and positions in lists are left out."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths_of(inner, f"{path}.<agent>" if path == "machine.agents" else f"{path}.{name}".strip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from paths_of(inner, f"{path}[]")
    else:
        yield path


def test_show_last_prints_what_arrived(tmp_path: Path, door: Door) -> None:
    world = World(tmp_path, server=door.address)
    world.edit("s-1", "app.py", *A3)
    world.commit()
    printed = json.JSONDecoder().raw_decode(world.agent("show-last"))[0]
    assert printed["commits"] == door.commits
    assert {state["hooks"] for state in printed["machine"]["agents"].values()} <= set(HOOK_STATES)


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("commits is not a list", {"commits": None}),
    ("machine is not an object", {"machine": []}),
    ("machine.version is not a string", {"machine.version": 7}),
    ("commit is not the id of a commit", {"commit": "HEAD"}),
    ("patch_id is not a patch id", {"patch_id": "x" * 40}),
    ("type is neither", {"type": "secret/path.py"}),
    ("lines is not a whole number", {"lines": -1}),
    ("lines is not a whole number", {"lines": True}),
    ("added is not a whole number", {"added": 10**12}),
    ("sessions have 4 lines, the commit adds 3", {"lines": 4}),
    ("session is not a string", {"session": ""}),
    ("session is not a string", {"session": "x" * 201}),
    ("hooks is not one of", {"hooks": "fine"}),
    ("last_event is not a time", {"last_event": "yesterday"}),
    ("last_event is not a time", {"last_event": "2026-13-41T00:00:00Z"}),
]


def report_with(changed: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"commit": "a" * 40, "patch_id": "b" * 40, "type": ".py", "lines": 3, "added": 3}
    values |= {"session": "s-1", "hooks": "installed", "last_event": None, "machine.version": "1"} | changed
    machine = {
        "version": values["machine.version"],
        "system": "Linux",
        "python": "3.11",
        "agents": {"claude_code": {"hooks": values["hooks"], "last_event": values["last_event"]}},
    }
    session = {"agent": "claude_code", "session": values["session"], "model": "m", "lines": values["lines"]}
    kind = {"type": values["type"], "added": values["added"], "sessions": [session]}
    commit = {"commit": values["commit"], "patch_id": values["patch_id"], "file_types": [kind]}
    whole = {name: value for name, value in changed.items() if name in ("machine", "commits")}
    return {"machine": machine, "commits": [commit], **whole}


@pytest.mark.parametrize(("message", "changed"), REFUSED)
def test_a_report_that_cannot_be_is_refused_as_a_whole(message: str, changed: dict[str, Any]) -> None:
    client = Client(headers={"Authorization": f"Bearer {add_machine(ada(), 'laptop')}"})
    good = client.post("/collector/v1/reports", report_with({}), "application/json")
    assert good.status_code == 200
    response = client.post("/collector/v1/reports", report_with(changed), "application/json")
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert CollectedLines.objects.count() == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<html>", b'{"machine": {"agents": {}}, "commits": []}' * 2])
def test_a_body_that_is_no_report_is_refused(body: bytes) -> None:
    client = Client(headers={"Authorization": f"Bearer {add_machine(ada(), 'laptop')}"})
    assert client.post("/collector/v1/reports", body, "application/json").status_code == 400


def test_tokens_of_other_scopes_and_revoked_ones_are_refused() -> None:
    member = signed_in(MEMBER)
    person = ada()
    assert member.get("/agent/").status_code == 200
    page = member.post("/agent/", {"name": "laptop"}).content.decode()
    secret = page.split("--token ")[1].split("<")[0].split()[0]
    for scope in (IngestScope.TELEMETRY, IngestScope.PUSH):
        other = Client(headers={"Authorization": f"Bearer {create_ingest_token('x', scope=scope)[1]}"})
        assert other.post("/collector/v1/reports", report_with({}), "application/json").status_code == 403
    assert Client().post("/collector/v1/reports", report_with({}), "application/json").status_code == 401
    own = Client(headers={"Authorization": f"Bearer {secret}"})
    assert own.post("/collector/v1/reports", report_with({}), "application/json").status_code == 200
    assert own.post("/v1/logs", b"{}", "application/json").status_code == 403
    (token,) = person.identities.filter(provider="ingest token").values_list("pk", flat=True)
    machine = CollectorMachine.objects.get(token__identity=token)
    assert signed_in(ADMIN).post("/agent/", {"revoke": machine.token_id}).status_code in (200, 404)
    assert member.post("/agent/", {"revoke": machine.token_id}).status_code == 200
    assert own.post("/collector/v1/reports", report_with({}), "application/json").status_code == 401


def test_the_fleet_names_machines_that_do_not_work_and_people_without_one() -> None:
    client = Client(headers={"Authorization": f"Bearer {add_machine(ada(), 'laptop of Ada')}"})
    client.post("/collector/v1/reports", report_with({"hooks": "incomplete"}), "application/json")
    add_machine(ada(), "desktop of Ada")
    page = signed_in(ADMIN).get("/agent/fleet/").content.decode()
    for text in ("laptop of Ada", "hooks incomplete", "desktop of Ada", "no report has arrived", "Ada Example"):
        assert text in page
    assert signed_in(MEMBER).get("/agent/fleet/").status_code == 404


def test_the_fleet_names_a_machine_whose_sessions_have_no_lines(tmp_path: Path, door: Door) -> None:
    """Its hooks are dropped without a word: the agent goes on to sign commits."""
    world = World(tmp_path, server=door.address, token=add_machine(ada(), "laptop"))
    world.edit("s-1", "app.py", *A3)
    world.commit()
    deliver(door)
    CollectedLines.objects.update(received_at=timezone.now() - timedelta(days=3))
    IngestToken.objects.update(created_at=timezone.now() - timedelta(days=9))
    (world.home / ".claude" / "settings.json").write_text("{}")
    admin = signed_in(ADMIN)
    for number in range(FEWEST_LINELESS):
        world.write("app.py", *A3, *(f"by_an_agent_{n} = {n}" for n in range(number + 1)))
        at = (timezone.now() - timedelta(hours=FEWEST_LINELESS - number)).isoformat()  # one moment is one change
        world.git("commit", "-qam", SIGNED, GIT_AUTHOR_DATE=at, GIT_COMMITTER_DATE=at)
        if number == FEWEST_LINELESS - 2:
            connect_git(world.repository)
            sync(world)
            assert NO_LINES not in admin.get("/agent/fleet/").content.decode()
    sync(world)
    assert NO_LINES in admin.get("/agent/fleet/").content.decode()
    protected = {"individual_policy": IndividualPolicy.PSEUDONYMS, "minimum_group_size": 5}
    Organisation.objects.update_or_create(pk=1, defaults={**protected, "protected_since": timezone.now()})
    assert NO_LINES not in admin.get("/agent/fleet/").content.decode()


@pytest.mark.parametrize("policy", [IndividualPolicy.PSEUDONYMS, IndividualPolicy.SELF_ONLY])
def test_under_other_policies_the_fleet_names_nobody(policy: IndividualPolicy) -> None:
    """Nor does it say when an agent ran, or whether few people or none have no collector."""
    protected = {"individual_policy": policy, "minimum_group_size": 5, "protected_since": timezone.now()}
    Organisation.objects.update_or_create(pk=1, defaults=protected)
    admin = signed_in(ADMIN)
    pages = []
    for name in ("Ada Example", "Grace Example", "Edith Example", "Joan Example", "Mary Example"):
        person = Person.objects.create(full_name=name, email=f"{name.split()[0].lower()}@example.com")
        client = Client(headers={"Authorization": f"Bearer {add_machine(person, f'laptop of {name}')}"})
        report = report_with({"last_event": "2026-11-03T10:00:00Z"})
        assert client.post("/collector/v1/reports", report, "application/json").status_code == 200
        pages.append(admin.get("/agent/fleet/").content.decode())
    for page in pages:
        for hidden in ("Example", "laptop", "3 Nov"):
            assert hidden not in page
        assert "Nobody, or few people" in page
