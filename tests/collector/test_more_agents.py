"""Agents whose hooks are files of ours or plugins: Kiro, Antigravity, opencode and Amp, by their documented forms.

Kiro: https://kiro.dev/docs/cli/v3/hooks/, https://kiro.dev/docs/cli/hooks (what a hook reads).
Antigravity: https://antigravity.google/docs/hooks.
opencode: https://opencode.ai/docs/plugins/, and the types of @opencode-ai/plugin 1.18.33.
Amp: https://ampcode.com/manual/plugin-api.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.collector_cases import A3, B3, HUMAN
from bench.collector_world import World
from tests.collector.test_installation import tree

FILES = {
    "antigravity": ".gemini/config/hooks.json",
    "kiro": ".kiro/hooks/headway.json",
    "opencode": ".config/opencode/plugins/headway.js",
    "amp": ".config/amp/plugins/headway.ts",
}
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on the PATH")
# Calls the handlers of a plugin in turn, each with the arguments that the agent documents.
OPENCODE = """
const { HeadwayAgent } = await import(process.argv[2])
const handlers = await HeadwayAgent({ directory: process.cwd() })
for (const [name, ...args] of JSON.parse(process.argv[3])) await handlers[name](...args)
"""
AMP = """
const handlers = {}
;(await import(process.argv[2])).default({ on: (name, handler) => { handlers[name] = handler } })
for (const [name, event] of JSON.parse(process.argv[3]))
  if (await handlers[name](event) !== undefined) throw new Error("it decided something")
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    for name in FILES.values():
        (made.home / name.split("/hooks")[0].split("/plugins")[0]).mkdir(parents=True, exist_ok=True)
    made.agent("install")
    return made


def run_hook(world: World, command: str, payload: Mapping[str, Any], printed: str = "") -> None:
    done = subprocess.run(
        ["sh", "-c", command],
        input=json.dumps(payload),
        cwd=world.repository,
        env=world.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (printed, "")


def run_plugin(world: World, agent: str, driver: str, calls: list[Any]) -> None:
    """Node runs a plugin without its agent; what is TypeScript in it is JavaScript as well."""
    plugin = world.folder / f"{agent}.mjs"
    plugin.write_bytes((world.home / FILES[agent]).read_bytes())
    done = subprocess.run(
        ["node", "--input-type=module", "-", str(plugin), json.dumps(calls)],
        input=driver,
        cwd=world.repository,
        env=world.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def seen(world: World) -> str:
    return world.agent("status")


def test_kiro_calls_the_hooks_of_our_own_file(world: World) -> None:
    document = json.loads((world.home / FILES["kiro"]).read_text())
    assert document["version"] == "v1"
    commands = {hook["trigger"]: hook["action"]["command"] for hook in document["hooks"]}
    world.write("app.py", *HUMAN)
    payload = {
        "hook_event_name": "preToolUse",
        "cwd": str(world.repository),
        "session_id": "k-1",
        "tool_name": "fs_write",
        "tool_input": {"command": "create", "path": "app.py", "content": "\n".join((*HUMAN, *A3))},
    }
    run_hook(world, commands["PreToolUse"], payload)
    world.write("app.py", *HUMAN, *A3)
    run_hook(world, commands["PostToolUse"], {**payload, "hook_event_name": "postToolUse", "tool_response": {}})
    shell = {**payload, "tool_name": "execute_bash", "tool_input": {"command": "echo"}}
    run_hook(world, commands["PreToolUse"], shell)
    world.write("made.py", *B3)
    run_hook(world, commands["PostToolUse"], {**shell, "hook_event_name": "postToolUse"})
    assert world.counts(world.commit()) == {"k-1": 6}
    # A payload of the IDE that names no session is nobody's.
    run_hook(world, commands["PostToolUse"], {"hook_event_name": "postToolUse", "tool_name": "fs_write"})


def test_antigravity_tells_of_text_that_it_replaced(world: World) -> None:
    """It sends no file from before a tool: of a file that is written whole nothing is known."""
    hooks = json.loads((world.home / FILES["antigravity"]).read_text())["headway-agent"]
    after, stop = hooks["PostToolUse"][0], hooks["Stop"][0]
    assert "replace_file_content" in after["matcher"]
    common = {"conversationId": "g-1", "workspacePaths": [str(world.repository)], "modelName": "gemini-3.8-flash"}
    world.write("app.py", *HUMAN, *A3)
    world.write("whole.py", *B3)
    path = str(world.repository / "app.py")
    pair = {"TargetContent": HUMAN[-1], "ReplacementContent": "\n".join((HUMAN[-1], *A3))}
    calls = [
        {"name": "replace_file_content", "args": {"TargetFile": path, **pair}},
        {"name": "write_to_file", "args": {"TargetFile": str(world.repository / "whole.py"), "CodeContent": "x"}},
        {"name": "run_command", "args": {"CommandLine": "true", "Cwd": str(world.repository)}},
    ]
    for call in calls:
        run_hook(world, after["hooks"][0]["command"], {**common, "stepIdx": 1, "toolCall": call}, "{}\n")
    run_hook(world, stop["command"], {**common, "terminationReason": "NO_TOOL_CALL", "fullyIdle": True}, "{}\n")
    assert world.counts(world.commit()) == {"g-1": 3}


@needs_node
def test_opencode_runs_our_plugin(world: World) -> None:
    path = str(world.repository / "app.py")
    world.write("app.py", *HUMAN)
    call = {"tool": "write", "sessionID": "ses_1", "callID": "call_1"}
    args = {"filePath": path, "content": "\n".join((*HUMAN, *A3))}
    run_plugin(world, "opencode", OPENCODE, [["tool.execute.before", call, {"args": args}]])
    world.write("app.py", *HUMAN, *A3)
    other = {"tool": "webfetch", "sessionID": "ses_1", "callID": "call_2", "args": {"url": "https://secret.example"}}
    idle = {"event": {"type": "session.idle", "properties": {"sessionID": "ses_1"}}}
    calls = [["tool.execute.after", {**call, "args": args}, {}], ["tool.execute.after", other, {}], ["event", idle]]
    run_plugin(world, "opencode", OPENCODE, calls)
    assert world.counts(world.commit()) == {"ses_1": 3}
    assert "opencode: installed, last event 0 minutes ago" in seen(world)


@needs_node
def test_amp_runs_our_plugin_which_allows_and_denies_nothing(world: World) -> None:
    assert (world.home / FILES["amp"]).read_text().startswith("// @i-know-the-amp-plugin-api-is-wip")
    path = str(world.repository / "app.py")
    world.write("app.py", *HUMAN)
    args = {"path": path, "old_str": HUMAN[-1], "new_str": "\n".join((HUMAN[-1], *A3))}
    event = {"thread": {"id": "T-1"}, "toolUseID": "toolu_1", "tool": "edit_file", "input": args}
    run_plugin(world, "amp", AMP, [["tool.call", event]])
    world.write("app.py", *HUMAN, *A3)
    calls = [["tool.result", {**event, "status": "done"}], ["agent.end", {"thread": {"id": "T-1"}}]]
    run_plugin(world, "amp", AMP, calls)
    failed = {**event, "toolUseID": "toolu_2", "status": "error", "error": "no"}
    run_plugin(world, "amp", AMP, [["tool.call", failed], ["tool.result", failed]])
    assert world.counts(world.commit()) == {"T-1": 3}


@needs_node
def test_a_plugin_without_its_collector_fails_silently(world: World) -> None:
    shutil.rmtree(world.home / ".headway-agent")
    call = {"tool": "bash", "sessionID": "ses_1", "callID": "call_1"}
    run_plugin(world, "opencode", OPENCODE, [["tool.execute.before", call, {"args": {"command": "true"}}]])
    event = {"thread": {"id": "T-1"}, "toolUseID": "toolu_1", "tool": "Bash", "input": {"cmd": "true"}}
    run_plugin(world, "amp", AMP, [["tool.call", event]])


def test_uninstalling_leaves_their_folders_as_they_were(world: World) -> None:
    world.agent("uninstall")
    theirs = {
        ".gemini/config/hooks.json": b'{"gate": {"PreToolUse": [{"matcher": "run_command", "hooks": []}]}}',
        ".kiro/hooks/lint.json": b'{"version": "v1", "hooks": []}\n',
        ".config/opencode/plugins/theirs.js": b"export const Theirs = async () => ({})\n",
    }
    for name, content in theirs.items():
        (world.home / name).parent.mkdir(parents=True, exist_ok=True)
        (world.home / name).write_bytes(content)
    before = tree(world.home)
    for _ in range(2):
        world.agent("install", "--server", "http://127.0.0.1:9", "--token", "hwi_none")
        hooks = json.loads((world.home / FILES["antigravity"]).read_text())
        assert [*hooks] == ["gate", "headway-agent"]
    world.agent("uninstall")
    assert tree(world.home) == before


def test_a_plugin_that_somebody_changed_stays_and_doctor_names_it(world: World) -> None:
    path = world.home / FILES["opencode"]
    path.write_text(path.read_text() + "// mine\n")
    assert "opencode: its hooks are incomplete" in world.agent("doctor", status=1)
    world.agent("uninstall")
    assert path.read_text().endswith("// mine\n")
