"""The real Codex and Gemini CLI, set up with the lines of the connect page, against stand-ins for their models.

Runs in `make soak` where `codex` or `gemini` is on the PATH; scripts/try_codex_and_gemini.sh installs them into a
temporary folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.db.models import Sum

from insights.pages.integrations.agent_settings import codex, gemini
from integrations.models import AgentSession, AgentSessionDay, AgentToolCall, QuarantinedRecord
from tests.agents_live.model_server import Reply, Say, UseTool
from tests.agents_live.other_model_servers import THOUGHTS, GeminiServer, ResponsesServer
from tests.agents_live.test_claude_code import _tables_containing, not_understood
from tests.conftest import StartServer
from tests.patience import wait_until
from tests.servers import Server

RUN_SECONDS = 120
CONTENT = "heliotrope_under_the_stairs"
PATCH = f"*** Begin Patch\n*** Add File: {CONTENT}.py\n+x = '{CONTENT}'\n+y = 2\n*** End Patch\n"
PROMPT = f"Tell me about {CONTENT}."
# Codex's own provider of models; everything else is the connect page's.
PROVIDER = """
model = "gpt-5.5"
model_provider = "stand_in"
[model_providers.stand_in]
name = "Stand-in"
base_url = "{url}/v1"
env_key = "STAND_IN_KEY"
wire_api = "responses"
"""


@pytest.fixture(scope="module")
def installation(start_server: StartServer) -> Iterator[Server]:
    with start_server("web", "worker", "beat", named="agents_live") as server:
        yield server


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("codex") is None, reason="codex is not on the PATH: scripts/try_codex_and_gemini.sh")
def test_codex_brings_a_session(installation: Server, tmp_path: Path) -> None:
    home, work = folders(tmp_path)
    replies: list[Reply] = [
        UseTool("apply_patch", {"input": PATCH}),
        UseTool("exec_command", {"cmd": f"echo {CONTENT}; exit 3"}),
        Say(f"It is {CONTENT}."),
    ]
    config, shell = (
        snippet.text for snippet in codex(installation.url, installation.ingest_token, "codex@example.com")
    )
    with ResponsesServer(replies).running() as model:
        (home / ".codex").mkdir()
        (home / ".codex" / "config.toml").write_text(f"{PROVIDER.format(url=model.url)}\n{config}\n")
        command = f'exec codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox "{PROMPT}"'
        run([shell, command], home, work, {"STAND_IN_KEY": "dummy"})
    session = folded(installation, "codex@example.com")
    with installation.database():
        assert figures_of(session) == {
            "input": sum(usage.uncached_input for usage in model.usages),
            "cached": sum(usage.cache_read for usage in model.usages),
            "output": sum(usage.output for usage in model.usages),
            "lines": 2,
        }
        assert outcomes_of(session) == {"apply_patch": "succeeded", "exec_command": "failed"}
        assert not QuarantinedRecord.objects.exists()
        assert not_understood() == []
        assert _tables_containing(CONTENT) == []


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("gemini") is None, reason="gemini is not on the PATH: scripts/try_codex_and_gemini.sh")
def test_gemini_cli_brings_a_session(installation: Server, tmp_path: Path) -> None:
    home, work = folders(tmp_path)
    replies: list[Reply] = [
        UseTool("write_file", {"file_path": str(work / f"{CONTENT}.py"), "content": f"x = '{CONTENT}'\ny = 2\n"}),
        UseTool("read_file", {"file_path": str(work / "missing.py")}),
        Say(f"It is {CONTENT}."),
    ]
    settings, shell = (
        snippet.text for snippet in gemini(installation.url, installation.ingest_token, "gemini@example.com")
    )
    with GeminiServer(replies).running() as model:
        (home / ".gemini").mkdir()
        chosen = {**json.loads(settings), "security": {"auth": {"selectedType": "gemini-api-key"}}}
        (home / ".gemini" / "settings.json").write_text(json.dumps(chosen))
        variables = {
            "GEMINI_API_KEY": "dummy",
            "GOOGLE_GEMINI_BASE_URL": model.url,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        }
        command = f'exec gemini -m gemini-2.5-pro --yolo --output-format json -p "{PROMPT}"'
        run([shell, command], home, work, variables)
    session = folded(installation, "gemini@example.com")
    with installation.database():
        assert figures_of(session) == {
            "input": sum(usage.uncached_input for usage in model.usages),
            "cached": sum(usage.cache_read for usage in model.usages),
            "output": sum(usage.output + THOUGHTS for usage in model.usages),
            "lines": 2,
        }
        assert outcomes_of(session) == {"write_file": "succeeded", "read_file": "failed"}
        assert not QuarantinedRecord.objects.exists()
        assert not_understood() == []
        assert _tables_containing(CONTENT) == []


def folders(root: Path) -> tuple[Path, Path]:
    home, work = root / "home", root / "work"
    home.mkdir()
    work.mkdir()
    return home, work


def run(lines: list[str], home: Path, work: Path, variables: Mapping[str, str]) -> None:
    """Start the program as a person does who pasted those lines."""
    finished = subprocess.run(
        ["sh", "-c", "\n".join(lines)],
        cwd=work,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "NO_PROXY": "127.0.0.1", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, f"{finished.stdout[-2000:]}\n{finished.stderr[-2000:]}"


def folded(server: Server, email: str) -> AgentSession:
    with server.database():
        sessions = AgentSession.objects.filter(
            identity__value=email, has_work=True, event_tokens__gt=0, lines_added__gt=0
        )
        wait_until(sessions.exists, what="the session is folded")
        return sessions.get()


def figures_of(session: AgentSession) -> dict[str, int]:
    days = AgentSessionDay.objects.filter(session=session, counted=True)
    sums = days.aggregate(input=Sum("input_tokens"), cached=Sum("cache_read_tokens"), output=Sum("output_tokens"))
    return sums | {"lines": AgentSession.objects.get(pk=session.pk).lines_added}


def outcomes_of(session: AgentSession) -> dict[str, str]:
    return dict(AgentToolCall.objects.filter(session=session).values_list("tool", "outcome"))
