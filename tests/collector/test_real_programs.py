"""The collector under the real programs: their hooks run as we assume, and their transcripts are read.

Runs in `make soak` where `claude`, `codex`, `gemini`, `copilot` or `opencode` is on the PATH:
scripts/try_claude_code.sh and scripts/try_codex_and_gemini.sh install them into a temporary folder.  Their models are
stand-ins on loopback.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.collector_world import World
from tests.agents_live.model_server import ModelServer, Reply, Say, Usage, UseTool
from tests.agents_live.other_model_servers import GeminiServer, ResponsesServer
from tests.agents_live.test_codex_and_gemini import PROVIDER
from tests.collector.door import Door

RUN_SECONDS = 120
CONTENT = "heliotrope_under_the_stairs"
WRITTEN = (f"first = '{CONTENT}'", "second = compute(first)", "print(first, second)")
PATCH = f"*** Begin Patch\n*** Add File: written.py\n{''.join(f'+{line}' + chr(10) for line in WRITTEN)}*** End Patch\n"

pytestmark = pytest.mark.soak


@pytest.mark.skipif(shutil.which("claude") is None, reason="claude is not on the PATH: scripts/try_claude_code.sh")
def test_claude_code_runs_the_hooks_and_its_transcript_is_read(tmp_path: Path, door: Door) -> None:
    world = World(tmp_path, server=door.address)
    replies: list[Reply] = [
        UseTool("Write", {"file_path": str(world.repository / "written.py"), "content": "\n".join(WRITTEN) + "\n"}),
        UseTool("Bash", {"command": "printf 'made = 1\\nnamed = two(made)\\n' > made.py", "description": "Make"}),
        UseTool("Bash", {"command": "exit 3", "description": "Fail on purpose"}),
        Say(f"It is {CONTENT}."),
    ]
    with ModelServer(replies).running() as model:
        arguments = ["claude", "-p", CONTENT, "--output-format", "json", "--permission-mode", "bypassPermissions"]
        variables = {
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "dummy",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "IS_SANDBOX": "1",  # it refuses to skip permissions as root elsewhere
        }
        answer = json.loads(run(world, arguments, variables))
    commit = world.commit()
    world.agent("doctor", status=1)  # the other agents have not run
    assert world.counts(commit) == {answer["session_id"]: 5}
    session = session_of(door, "claude_code")
    assert session["session"] == answer["session_id"]
    assert tokens_of(session) == sorted(tuple(usage.as_reported().values()) for usage in model.usages)
    assert outcomes_of(session) == [("Bash", "failed"), ("Bash", "succeeded"), ("Write", "succeeded")]
    assert session["turns"]
    assert CONTENT not in json.dumps(door.arrived)


@pytest.mark.skipif(shutil.which("codex") is None, reason="codex is not on the PATH: scripts/try_codex_and_gemini.sh")
def test_codex_runs_the_hooks_and_its_rollout_is_read(tmp_path: Path, door: Door) -> None:
    """Its hooks need a person's trust; `codex exec` cannot ask for it, and has a switch instead."""
    world = World(tmp_path, server=door.address)
    replies: list[Reply] = [
        UseTool("apply_patch", {"input": PATCH}),
        UseTool("exec_command", {"cmd": "printf 'made = 1\\nnamed = two(made)\\n' > made.py"}),
        UseTool("exec_command", {"cmd": f"echo {CONTENT}; exit 3"}),
        Say(f"It is {CONTENT}."),
    ]
    with ResponsesServer(replies).running() as model:
        (world.home / ".codex" / "config.toml").write_text(PROVIDER.format(url=model.url))
        switches = ["--dangerously-bypass-approvals-and-sandbox", "--dangerously-bypass-hook-trust"]
        run(world, ["codex", "exec", "--skip-git-repo-check", *switches, CONTENT], {"STAND_IN_KEY": "dummy"})
    (lines,) = world.counts(world.commit()).values()
    assert lines == 5
    world.agent("doctor", status=1)  # the other agents have not run
    session = session_of(door, "codex")
    assert tokens_of(session) == sorted((used.uncached_input, used.cache_read, 0, used.output) for used in model.usages)
    outcomes = [("apply_patch", "succeeded"), ("exec_command", "failed"), ("exec_command", "succeeded")]
    assert outcomes_of(session) == outcomes
    assert CONTENT not in json.dumps(door.arrived)


@pytest.mark.skipif(shutil.which("gemini") is None, reason="gemini is not on the PATH: scripts/try_codex_and_gemini.sh")
def test_gemini_cli_runs_the_hooks(tmp_path: Path, door: Door) -> None:
    world = World(tmp_path, server=door.address)
    replies: list[Reply] = [
        UseTool(
            "write_file", {"file_path": str(world.repository / "written.py"), "content": "\n".join(WRITTEN) + "\n"}
        ),
        UseTool("run_shell_command", {"command": "printf 'made = 1\\nnamed = two(made)\\n' > made.py"}),
        Say(f"It is {CONTENT}."),
    ]
    settings = world.home / ".gemini" / "settings.json"
    with GeminiServer(replies).running() as model:
        chosen = {**json.loads(settings.read_text()), "security": {"auth": {"selectedType": "gemini-api-key"}}}
        settings.write_text(json.dumps(chosen))
        variables = {
            "GEMINI_API_KEY": "dummy",
            "GOOGLE_GEMINI_BASE_URL": model.url,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        }
        run(world, ["gemini", "-m", "gemini-2.5-pro", "--yolo", "--output-format", "json", "-p", CONTENT], variables)
    (lines,) = world.counts(world.commit()).values()
    assert lines == 5
    world.agent("doctor", status=1)  # the other agents have not run
    assert CONTENT not in json.dumps(door.arrived)


@pytest.mark.skipif(
    shutil.which("copilot") is None, reason="copilot is not on the PATH: scripts/try_codex_and_gemini.sh"
)
def test_copilot_cli_runs_the_hooks(tmp_path: Path, door: Door) -> None:
    world = World(tmp_path, server=door.address)
    replies: list[Reply] = [
        UseTool("create", {"path": str(world.repository / "written.py"), "file_text": "\n".join(WRITTEN) + "\n"}),
        UseTool("bash", {"command": "printf 'made = 1\\nnamed = two(made)\\n' > made.py", "description": "Make"}),
        Say(f"It is {CONTENT}."),
    ]
    with ModelServer(replies).running() as model:
        provider = {"TYPE": "anthropic", "BASE_URL": model.url, "API_KEY": "dummy"}
        variables = {f"COPILOT_PROVIDER_{name}": value for name, value in provider.items()}
        variables |= {"COPILOT_MODEL": "claude-sonnet-4-5", "COPILOT_OFFLINE": "true"}
        run(world, ["copilot", "-p", CONTENT, "--allow-all-tools", "--allow-all-paths"], variables)
    (lines,) = world.counts(world.commit()).values()
    assert lines == 5
    world.agent("doctor", status=1)  # the other agents have not run
    assert CONTENT not in json.dumps(door.arrived)


@pytest.mark.skipif(
    shutil.which("opencode") is None, reason="opencode is not on the PATH: scripts/try_codex_and_gemini.sh"
)
def test_opencode_runs_the_plugin(tmp_path: Path, door: Door) -> None:
    world = World(tmp_path, server=door.address)
    settings = world.home / ".config" / "opencode" / "opencode.json"
    settings.parent.mkdir(parents=True)
    world.agent("install")
    replies: list[Reply] = [
        UseTool("write", {"filePath": str(world.repository / "written.py"), "content": "\n".join(WRITTEN) + "\n"}),
        UseTool("bash", {"command": "printf 'made = 1\\nnamed = two(made)\\n' > made.py", "description": "Make"}),
        Say(f"It is {CONTENT}."),
    ]
    with ModelServer(replies).running() as model:
        model_name = "anthropic/claude-sonnet-4-5"
        provider = {"options": {"baseURL": f"{model.url}/v1", "apiKey": "dummy"}}
        permission = {"edit": "allow", "bash": "allow"}
        document = {"model": model_name, "small_model": model_name, "permission": permission, "autoupdate": False}
        settings.write_text(json.dumps({**document, "provider": {"anthropic": provider}}))
        variables = {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"}
        run(world, ["opencode", "run", "--title", "a title", CONTENT], variables)
    (lines,) = world.counts(world.commit()).values()
    assert lines == 5
    world.agent("doctor", status=1)  # the other agents have not run
    assert outcomes_of(session_of(door, "opencode")) == [("bash", "succeeded"), ("write", "succeeded")]
    assert CONTENT not in json.dumps(door.arrived)


def run(world: World, arguments: list[str], variables: Mapping[str, str]) -> str:
    finished = subprocess.run(
        arguments,
        cwd=world.repository,
        env={**world.environment, "NO_PROXY": "127.0.0.1", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, f"{finished.stdout[-2000:]}\n{finished.stderr[-2000:]}"
    return finished.stdout


def session_of(door: Door, agent: str) -> dict[str, Any]:
    """The agent's session as it arrived, in however many reports."""
    parts = [part for _, report in door.arrived for part in report["sessions"] if part["agent"] == agent]
    whole: dict[str, Any] = {**parts[0], "requests": [], "tool_calls": [], "turns": []}
    for part in parts:
        for name in ("requests", "tool_calls", "turns"):
            whole[name] += part[name]
    return whole


def tokens_of(session: Mapping[str, Any]) -> list[tuple[int, ...]]:
    """Tokens of each request, in the order of `Usage`."""
    names = tuple(f"{name}_tokens" for name in ("input", "cache_read", "cache_write", "output"))
    assert len(names) == len(Usage.__dataclass_fields__)
    latest = {request["id"]: tuple(request[name] for name in names) for request in session["requests"]}
    return sorted(latest.values())


def outcomes_of(session: Mapping[str, Any]) -> list[tuple[str, str]]:
    return sorted((call["tool"], call["outcome"]) for call in session["tool_calls"])
