"""The real Claude Code, set up with the lines of the connect page, against a stand-in for its model.

Runs in `make soak` where `claude` is on the PATH; scripts/try_claude_code.sh installs it into a temporary folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum
from psycopg import sql

from insights.pages.integrations.agent_settings import claude_code
from integrations.models import (
    AgentRequest,
    AgentSession,
    AgentSessionDay,
    AgentToolCall,
    DroppedAttribute,
    QuarantinedRecord,
    UnreadEvent,
)
from integrations.telemetry.otlp.store_tallies import add_up_tallies
from tests.agents_live.model_server import ModelServer, Reply, Say, UseTool
from tests.conftest import StartServer
from tests.patience import wait_until
from tests.servers import Server

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        shutil.which("claude") is None, reason="Claude Code is not on the PATH: see scripts/try_claude_code.sh"
    ),
]

RUN_SECONDS = 90
LINES = ("x = 1", "y = 2", "print(x + y)")
SPANS = {"CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1", "OTEL_TRACES_EXPORTER": "otlp"}
JSON = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}
# Everything that makes the program send content.
EVERYTHING = dict.fromkeys(
    (
        "OTEL_LOG_USER_PROMPTS",
        "OTEL_LOG_ASSISTANT_RESPONSES",
        "OTEL_LOG_TOOL_DETAILS",
        "OTEL_LOG_TOOL_CONTENT",
        "OTEL_LOG_RAW_API_BODIES",
    ),
    "1",
)
CONTENT = "heliotrope-under-the-stairs"
GZIP = {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}


@pytest.fixture(scope="module")
def installation(start_server: StartServer) -> Iterator[Server]:
    with start_server("web", "worker", "beat", named="claude_code") as server:
        yield server


@pytest.mark.parametrize("pasted", ["shell", "settings"])
@pytest.mark.parametrize(
    ("name", "changed"),
    [("protobuf", {}), ("json", JSON), ("gzip", GZIP), ("json-gzip", JSON | GZIP), ("spans", SPANS | JSON)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_lines_of_the_connect_page_bring_a_session(
    installation: Server, tmp_path: Path, pasted: str, name: str, changed: Mapping[str, str]
) -> None:
    email = f"{pasted}.{name}@example.com"
    work = tmp_path / "work"
    work.mkdir()
    written = str(work / "sum.py")
    replies: list[Reply] = [
        UseTool("Write", {"file_path": written, "content": "\n".join(LINES) + "\n"}),
        UseTool("Bash", {"command": "exit 3", "description": "Fail on purpose"}),
        Say("Done."),
    ]
    with ModelServer(replies).running() as model:
        answer = _run(installation, model, folder=tmp_path, work=work, pasted=pasted, email=email, changed=changed)
    assert answer["is_error"] is False, answer

    with installation.database():
        wait_until(
            lambda: AgentSession.objects.filter(external_id=answer["session_id"], metric_tokens__gt=0).exists(),
            what="the session is folded",
        )
        session = AgentSession.objects.get(external_id=answer["session_id"])
        everything = sum(sum(usage.as_reported().values()) for usage in model.usages)
        assert session.identity.value == email
        assert (session.event_tokens, session.metric_tokens) == (everything, everything)
        requests = AgentRequest.objects.filter(session=session)
        assert requests.count() == len(model.usages)
        sums = requests.aggregate(
            input_tokens=Sum("input_tokens"),
            cache_read_input_tokens=Sum("cache_read_tokens"),
            cache_creation_input_tokens=Sum("cache_write_tokens"),
            output_tokens=Sum("output_tokens"),
        )
        assert sums == {
            kind: sum(usage.as_reported()[kind] for usage in model.usages) for kind in model.usages[0].as_reported()
        }
        assert {call.tool: call.outcome for call in AgentToolCall.objects.filter(session=session)} == {
            "Write": "succeeded",
            "Bash": "failed",
        }
        days = AgentSessionDay.objects.filter(session=session)
        assert days.aggregate(lines=Sum("lines_added"))["lines"] in (len(LINES), len(LINES) + 1)  # it counts the end
        reported = days.filter(source="metrics").aggregate(cost=Sum("reported_cost"))["cost"]
        assert float(reported) == pytest.approx(answer["total_cost_usd"])
        assert not QuarantinedRecord.objects.exists()
        assert not_understood() == []


def test_nothing_of_what_people_write_is_stored_even_when_everything_is_switched_on(
    installation: Server, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    replies: list[Reply] = [
        UseTool("Write", {"file_path": str(work / f"{CONTENT}.py"), "content": f"secret = '{CONTENT}'\n"}),
        UseTool("Bash", {"command": f"echo {CONTENT} >&2; exit 3", "description": CONTENT}),
        Say(f"It is {CONTENT}."),
    ]
    with ModelServer(replies).running() as model:
        answer = _run(
            installation,
            model,
            folder=tmp_path,
            work=work,
            pasted="shell",
            email="everything@example.com",
            changed=SPANS | EVERYTHING,
            prompt=f"Tell me about {CONTENT}.",
        )
    with installation.database():
        wait_until(
            lambda: AgentSession.objects.filter(external_id=answer["session_id"], metric_tokens__gt=0).exists(),
            what="the session is folded",
        )
        assert DroppedAttribute.objects.filter(count__gt=0).exists()
        assert _tables_containing(CONTENT) == []
        assert not_understood() == []


def not_understood() -> list[tuple[str, ...]]:
    """Names from a newer version that no vocabulary knows: agent, signal, event and attribute."""
    add_up_tallies()
    return list(UnreadEvent.objects.filter(known=False).values_list("agent", "signal", "name", "attribute"))


def _tables_containing(word: str) -> list[str]:
    """Tables of this database in which the word stands, as text or as bytes."""
    with connection.cursor() as cursor:
        tables = [table.name for table in connection.introspection.get_table_list(cursor)]
        matching = []
        for table in tables:
            cursor.execute(
                sql.SQL("SELECT EXISTS (SELECT FROM {} AS kept WHERE kept::text LIKE ANY (%s))").format(
                    sql.Identifier(table)
                ),
                [[f"%{word}%", f"%{word.encode().hex()}%"]],
            )
            if cursor.fetchone()[0]:
                matching.append(table)
    return matching


def _run(
    server: Server,
    model: ModelServer,
    *,
    folder: Path,
    work: Path,
    pasted: str,
    email: str,
    changed: Mapping[str, str],
    prompt: str = "Write the sum.",
) -> dict[str, object]:
    """Start the program as a person does who pasted that snippet; its own account of the run."""
    home = folder / "home"
    (home / ".claude").mkdir(parents=True)
    (snippet,) = [
        snippet.text for snippet in claude_code(server.url, server.ingest_token, email) if snippet.key == pasted
    ]
    lines: list[str] = []
    if pasted == "shell":
        lines = [snippet, *(f"export {name}={value}" for name, value in changed.items())]
    else:
        settings = json.loads(snippet)
        settings["env"] |= changed
        (home / ".claude" / "settings.json").write_text(json.dumps(settings))
    script = "\n".join([*lines, f'exec claude -p "{prompt}" --output-format json --permission-mode bypassPermissions'])
    finished = subprocess.run(
        ["sh", "-c", script],
        cwd=work,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "dummy",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "IS_SANDBOX": "1",  # it refuses to skip permissions as root elsewhere
        },
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    answer: dict[str, object] = json.loads(finished.stdout)
    return answer
