"""Our own files in the folders of agents: hooks in a separate list (Kiro), and plugins, which are code.

A plugin runs inside the agent and starts the collector as a hook does.  It fails silently, decides nothing, and sends
the collector what Claude Code's hooks send: https://opencode.ai/docs/plugins/, https://ampcode.com/manual/plugin-api.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

# Kiro IDE ≥ 1.0 and Kiro CLI ≥ 3: ~/.kiro/hooks/*.json, https://kiro.dev/docs/cli/v3/hooks/.  `matcher` is a pattern of
# the names of tools, https://kiro.dev/docs/cli/reference/built-in-tools/.
KIRO_TOOLS = "fs_write|fs_append|str_replace|write|execute_bash|execute_pwsh|shell"
_TELL = """\
// headway-agent: tells the collector of tools that ran.  It decides nothing, and what fails in it fails silently.
import { spawn } from "node:child_process"

const COMMAND = %s
const SECONDS = %d

function tell(event) {
  return new Promise((done) => {
    try {
      const child = spawn(COMMAND[0], COMMAND.slice(1), { stdio: ["pipe", "ignore", "ignore"], windowsHide: true })
      const late = setTimeout(() => { child.kill(); done() }, SECONDS * 1000)
      const end = () => { clearTimeout(late); done() }
      child.on("error", end)
      child.on("close", end)
      child.stdin.on("error", () => {})
      child.stdin.end(JSON.stringify(event))
    } catch { done() }
  })
}

"""
_OPENCODE = """\
const WRITING = ["edit", "multiedit", "write", "patch", "apply_patch", "bash"]

export const HeadwayAgent = async ({ directory }) => {
  const toolEvent = (name, input, args) => ({
    hook_event_name: name,
    session_id: input.sessionID,
    cwd: directory,
    tool_name: input.tool,
    tool_input: WRITING.includes(input.tool) ? args : {},
    tool_use_id: input.callID,
  })
  return {
    "tool.execute.before": async (input, output) => {
      if (WRITING.includes(input.tool)) await tell(toolEvent("PreToolUse", input, output.args))
    },
    "tool.execute.after": async (input) => { await tell(toolEvent("PostToolUse", input, input.args)) },
    event: async ({ event }) => {
      if (event.type !== "session.idle") return
      await tell({ hook_event_name: "Stop", session_id: event.properties.sessionID, cwd: directory })
    },
  }
}
"""
# The first line is a condition of Amp.
_AMP_MARK = "// @i-know-the-amp-plugin-api-is-wip-and-very-experimental-right-now\n"
_AMP = """\
const WRITING = ["edit_file", "create_file", "apply_patch", "Bash", "shell_command"]

export default function (amp) {
  const toolEvent = (name, event) => ({
    hook_event_name: name,
    session_id: event.thread?.id,
    cwd: event.input?.cwd ?? process.cwd(),
    tool_name: event.tool,
    tool_input: WRITING.includes(event.tool) ? event.input : {},
    tool_use_id: event.toolUseID,
  })
  amp.on("tool.call", async (event) => {
    if (WRITING.includes(event.tool)) await tell(toolEvent("PreToolUse", event))
  })
  amp.on("tool.result", async (event) => {
    await tell(toolEvent(event.status === "done" ? "PostToolUse" : "PostToolUseFailure", event))
  })
  amp.on("agent.end", async (event) => {
    await tell({ hook_event_name: "Stop", session_id: event.thread?.id, cwd: process.cwd() })
  })
}
"""


def kiro_hooks(command: Sequence[str], shell_command: str, seconds: int) -> str:
    hooks = [
        {
            "name": f"headway-agent-{trigger.lower()}",
            "trigger": trigger,
            "matcher": KIRO_TOOLS,
            "action": {"type": "command", "command": shell_command},
            "timeout": seconds,
            "enabled": True,
        }
        for trigger in ("PreToolUse", "PostToolUse")
    ]
    return json.dumps({"version": "v1", "hooks": hooks}, indent=2, ensure_ascii=False) + "\n"


def opencode_plugin(command: Sequence[str], shell_command: str, seconds: int) -> str:
    return _TELL % (json.dumps(command, ensure_ascii=False), seconds) + _OPENCODE


def amp_plugin(command: Sequence[str], shell_command: str, seconds: int) -> str:
    return _AMP_MARK + _TELL % (json.dumps(command, ensure_ascii=False), seconds) + _AMP
