"""The settings to paste into a coding agent, so that its telemetry arrives here.

Sources: Claude Code, https://code.claude.com/docs/en/monitoring-usage; Codex CLI, its configuration reference
(`[otel]`); Gemini CLI, docs/cli/telemetry.md; Copilot CLI and VS Code, the references named in docs/agents/copilot.md.
The recorded requests in the tests were made with these settings.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

TOKEN_PLACEHOLDER = "YOUR-INGEST-TOKEN"  # noqa: S105 - stands where the real one must be pasted
# Claude Code exports metrics once a minute; a first try should not wait that long.
FIRST_TRY_INTERVALS = {"OTEL_METRIC_EXPORT_INTERVAL": "5000", "OTEL_LOGS_EXPORT_INTERVAL": "2000"}
# For Claude Code 2.1.269 and later; earlier versions name commits only by the second one, without a repository.
REPOSITORY_AND_COMMIT = {"OTEL_METRICS_INCLUDE_REPOSITORY": "1", "OTEL_LOG_TOOL_DETAILS": "1"}
WHAT_TRAVELS = (
    "With OTEL_LOG_TOOL_DETAILS, Claude Code names the commits that it makes. It then also sends the commands and file "
    "paths of its tools: they travel to Headway, which drops them on receipt and counts how many. Omit the line if "
    "they must not leave the machine."
)
# Characters allowed unencoded in a value of OTEL_RESOURCE_ATTRIBUTES, in addition to letters and digits (W3C baggage).
BAGGAGE_SAFE = "!#$&'()*+-./:<>?@[]^_`{|}~"


# The name that a line sets: an environment variable, or a key in JSON or TOML.
SETTING = re.compile(r'(?P<before>\s*"?|export )(?P<name>[A-Za-z_.]+)(?P<after>(?:"\s*:|\s*=).*)')


class Line(NamedTuple):
    """A line of a snippet, split so that the name it sets can be highlighted."""

    before: str
    name: str
    after: str


@dataclass(frozen=True)
class Snippet:
    """A file or another place, and the text that belongs there."""

    key: str
    title: str
    place: str
    where: Sequence[str]
    text: str

    @property
    def lines(self) -> list[Line]:
        return [_split_line(line) for line in self.text.split("\n")]


@dataclass(frozen=True)
class Agent:
    slug: str
    name: str
    how: str  # subtitle in the picker
    snippets: Callable[[str, str, str], list[Snippet]] | None  # of base address, token, e-mail; None: unknown
    note: str = ""
    all_needed: bool = False  # whether all snippets are needed, not just one


def claude_code(base_url: str, token: str, email: str) -> list[Snippet]:
    variables = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": base_url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {token}",
        "OTEL_RESOURCE_ATTRIBUTES": resource_attributes(email),
        **REPOSITORY_AND_COMMIT,
    }
    trial = {**variables, **FIRST_TRY_INTERVALS}
    return [
        Snippet(
            key="shell",
            title="To try it out: this terminal only",
            place="shell",
            where=(
                "Paste, then start claude in the same terminal. The short intervals are for a first try.",
                WHAT_TRAVELS,
            ),
            text=_exports(trial),
        ),
        Snippet(
            key="settings",
            title="For yourself",
            place="~/.claude/settings.json",
            where=("If the file already exists, add these lines to its env block.", WHAT_TRAVELS),
            text=json.dumps({"env": variables}, indent=2),
        ),
        Snippet(
            key="managed",
            title="For everybody: managed settings",
            place="managed-settings.json",
            where=(
                "Linux: /etc/claude-code/managed-settings.json",
                "macOS: /Library/Application Support/ClaudeCode/managed-settings.json",
                "Windows: C:\\Program Files\\ClaudeCode\\managed-settings.json",
                "Give each person their own enduser.id. If everybody signs in to Claude Code, omit that line: Claude "
                "Code then sends the address itself.",
                WHAT_TRAVELS,
            ),
            text=json.dumps({"env": variables}, indent=2),
        ),
        _wrapper(
            "claude",
            email,
            "Versions before 2.1.269: shell wrapper for repository and branch",
            "Later versions name the repository themselves, and the branch with each commit.",
            "Then omit OTEL_RESOURCE_ATTRIBUTES from settings.json, because it takes precedence.",
        ),
        Snippet(
            key="repository",
            title="Versions before 2.1.269: the repository's own agent settings",
            place=".claude/settings.json of the repository",
            where=(
                "If everybody signs in to Claude Code: commit it once, and it applies to everybody who works in the "
                "repository.",
                "It replaces a personal OTEL_RESOURCE_ATTRIBUTES; if you need enduser.id, use the shell wrapper.",
            ),
            text=json.dumps(
                {"env": {"OTEL_RESOURCE_ATTRIBUTES": "vcs.repository.url.full=https://github.com/acme/shop"}}, indent=2
            ),
        ),
    ]


def codex(base_url: str, token: str, email: str) -> list[Snippet]:
    """Log events only, because its metrics and spans name no conversation."""
    headers = f'{{ "Authorization" = {json.dumps(f"Bearer {token}")} }}'
    lines = [
        "[otel]",
        "log_user_prompt = false",
        f"exporter = {{ otlp-http = {{ endpoint = {json.dumps(f'{base_url}/v1/logs')}, "
        f'protocol = "binary", headers = {headers} }} }}',
    ]
    return [
        Snippet(
            key="config",
            title="1. Configuration",
            place="~/.codex/config.toml",
            where=("Read from your home directory only. The exporter is one line.",),
            text="\n".join(lines),
        ),
        Snippet(
            key="shell",
            title="2. Environment",
            place="shell profile",
            where=("Identifies the person of the sessions.",),
            text=_exports({"OTEL_RESOURCE_ATTRIBUTES": resource_attributes(email)}),
        ),
        _wrapper("codex", email, "3. Repository and branch"),
    ]


def gemini(base_url: str, token: str, email: str) -> list[Snippet]:
    telemetry = {
        "enabled": True,
        "target": "local",
        "otlpEndpoint": base_url,
        "otlpProtocol": "http",
        "useCollector": True,
        "logPrompts": False,
        "traces": False,
    }
    variables = {
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {token}",
        "OTEL_RESOURCE_ATTRIBUTES": resource_attributes(email),
    }
    return [
        Snippet(
            key="settings",
            title="1. Configuration",
            place="~/.gemini/settings.json",
            where=("Add the telemetry block.",),
            text=json.dumps({"telemetry": telemetry}, indent=2),
        ),
        Snippet(
            key="shell",
            title="2. Environment",
            place="shell profile",
            where=("The token, and the person of the sessions.",),
            text=_exports(variables),
        ),
        _wrapper("gemini", email, "3. Repository and branch"),
    ]


def copilot(base_url: str, token: str, email: str) -> list[Snippet]:
    variables = {"COPILOT_OTEL_ENABLED": "true", **_standard_variables(base_url, token, email)}
    prefix = "github.copilot.chat.otel."
    settings = {
        f"{prefix}enabled": True,
        f"{prefix}exporterType": "otlp-http",
        f"{prefix}otlpEndpoint": base_url,
        f"{prefix}captureContent": False,
        f"{prefix}headers": {"Authorization": f"Bearer {token}"},
        f"{prefix}resourceAttributes": {"enduser.id": email},
    }
    return [
        Snippet(
            key="cli",
            title="Copilot CLI",
            place="shell profile",
            where=("Then start copilot in a new terminal.",),
            text=_exports(variables),
        ),
        Snippet(
            key="vscode",
            title="Copilot Chat in VS Code",
            place="settings.json",
            where=(
                "Add these lines to your user settings (“Open User Settings (JSON)”), then reload the window.",
                "Environment variables take precedence if both are set.",
            ),
            text=json.dumps(settings, indent=2),
        ),
        _wrapper(
            "copilot",
            email,
            "Repository and branch of Copilot CLI: shell wrapper",
            "Copilot Chat in VS Code sends them automatically.",
        ),
    ]


def any_program(base_url: str, token: str, email: str) -> list[Snippet]:
    """The variables that every OpenTelemetry SDK reads."""
    variables = {
        **_standard_variables(base_url, token, email),
        "OTEL_SERVICE_NAME": "your-program",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    }
    return [
        Snippet(
            key="shell",
            title="Environment of the program",
            place="shell",
            where=(
                "The program must be instrumented with OpenTelemetry's conventions for generative AI.",
                "OTEL_SERVICE_NAME is the agent's name in Headway. Spans with gen_ai.conversation.id are sessions; "
                "without it each trace is one.",
            ),
            text=_exports(variables),
        )
    ]


# Attributes are separated by commas, so a comma in a name is encoded; a password in the address is removed.
WRAPPER = """{command}() {{
  local address branch
  address=$(git remote get-url origin 2>/dev/null | sed 's#//[^/@]*@#//#; s/,/%2C/g')
  branch=$(git branch --show-current 2>/dev/null | sed 's/,/%2C/g')
  OTEL_RESOURCE_ATTRIBUTES={attributes},vcs.repository.url.full=$address,vcs.ref.head.name=$branch \\
    command {command} "$@"
}}"""


def _wrapper(command: str, email: str, title: str, *more: str) -> Snippet:
    """A shell function that names the repository and branch in which the agent is started."""
    return Snippet(
        key="wrapper",
        title=title,
        place="~/.bashrc or ~/.zshrc",
        where=(
            f"Then {command} reports its repository and branch, so spend has a repository and work items before any "
            "commit.",
            *more,
        ),
        text=WRAPPER.format(command=command, attributes=shlex.quote(resource_attributes(email))),
    )


def _exports(variables: Mapping[str, str]) -> str:
    """The variables as lines of a shell script."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def _standard_variables(base_url: str, token: str, email: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": base_url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {token}",
        "OTEL_RESOURCE_ATTRIBUTES": resource_attributes(email),
    }


def resource_attributes(email: str) -> str:
    """The attribute `enduser.id=<address>`: without a vendor sign-in, an agent sends no other identity."""
    return f"enduser.id={quote(email, safe=BAGGAGE_SAFE)}"


def _split_line(line: str) -> Line:
    parts = SETTING.fullmatch(line)
    return Line(parts["before"], parts["name"], parts["after"]) if parts else Line(line, "", "")


AGENTS = (
    Agent("claude_code", "Claude Code", "OpenTelemetry", claude_code),
    Agent("cursor", "Cursor", "Admin API", None, "Cursor sends no OpenTelemetry. Its admin API is not read yet."),
    Agent("copilot", "Copilot", "OpenTelemetry", copilot),
    Agent("codex", "Codex", "OpenTelemetry", codex, all_needed=True),
    Agent("gemini", "Gemini", "OpenTelemetry", gemini, all_needed=True),
    Agent("gen_ai", "Any program", "gen_ai conventions", any_program),
)
