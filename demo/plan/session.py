"""The events of one session: turns, requests to the model, and tool calls."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from demo.plan.agents import CLAUDE_CODE
from demo.plan.model_prices import MODEL_PRICES
from demo.plan.people import DemoPerson

# Tool, its share of all calls, the chance that a call fails, its usual time in milliseconds.
_TOOLS: tuple[tuple[str, float, float, int], ...] = (
    ("Read", 0.25, 0.015, 12),
    ("Edit", 0.23, 0.035, 15),
    ("Bash", 0.20, 0.08, 4200),
    ("Grep", 0.09, 0.01, 60),
    ("Write", 0.07, 0.01, 10),
    ("WebFetch", 0.12, 0.03, 2600),
    ("Glob", 0.02, 0.005, 40),
    ("Task", 0.02, 0.02, 40_000),
)
_ERROR_TYPES = {"Bash": "ShellError"}
_OTHER_ERROR_TYPE = "TelemetrySafeError"
_SLOW_TOOL_MS = 1000  # slower tools are still at work when their request's events are written
_LANGUAGES = ("Python", "TypeScript", "Go", "SQL", "YAML", "Markdown")
_REFUSAL_CHANCE = 0.02
_API_ERROR_CHANCE = 0.006
_RESUME_CHANCE = 0.04
_COMMIT_CHANCE = 0.35
_CONTEXT_LIMIT = 165_000  # the agent compacts before the 200,000 tokens of the model are full
_FIRST_CONTEXT = 34_000  # system prompt, tools and context files


@dataclass(frozen=True, slots=True)
class SessionSetting:
    """The settings of a session before it starts; times are aware."""

    person: DemoPerson
    started_at: datetime
    minutes: float
    model: str
    cache_reuse: float
    failing_tools: Mapping[str, float]
    version: str
    agent: str = CLAUDE_CODE


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call; `refused` ones were never run, so they have neither duration nor error."""

    tool: str
    use_id: str
    at: datetime
    duration_ms: int
    error_type: str  # empty: it worked
    refused: bool
    language: str
    lines_added: int
    lines_removed: int

    @property
    def slow(self) -> bool:
        return self.duration_ms >= _SLOW_TOOL_MS

    @property
    def edits(self) -> bool:
        return bool(self.language)


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One answered request, at the time of its answer, and the tool it asked for.  Tokens in disjoint kinds."""

    at: datetime
    request_id: str
    model: str
    uncached_input: int
    output: int
    cache_read: int
    cache_write: int
    duration_ms: int
    tool: ToolUse | None
    failed: bool = False  # the final answer of the API was an error

    @property
    def cost_usd(self) -> float:
        return MODEL_PRICES[self.model].cost_usd(
            uncached_input=self.uncached_input,
            output=self.output,
            cache_read=self.cache_read,
            cache_write=self.cache_write,
        )


@dataclass(frozen=True, slots=True)
class Turn:
    prompt_id: str
    prompted_at: datetime
    prompt_length: int
    requests: tuple[ModelRequest, ...]


@dataclass(frozen=True, slots=True)
class SessionRun:
    """The turns of one run of the program; a resumed session has several under one session id."""

    turns: tuple[Turn, ...]
    ended_at: datetime
    commits: int


@dataclass(frozen=True, slots=True)
class DemoSession:
    session_id: str
    setting: SessionSetting
    active_periods: tuple[SessionRun, ...]

    @property
    def ended_at(self) -> datetime:
        return self.active_periods[-1].ended_at


def play_session(setting: SessionSetting, rng: Random) -> DemoSession:
    """The session that results from this setting and this random number generator."""
    session_id = _uuid(rng)
    active_periods = [_play_run(setting, setting.started_at, setting.minutes, rng)]
    if rng.random() < _RESUME_CHANCE:
        pause = timedelta(minutes=rng.uniform(45, 120))
        active_periods.append(_play_run(setting, active_periods[0].ended_at + pause, setting.minutes / 2, rng))
    return DemoSession(session_id, setting, tuple(active_periods))


def _play_run(setting: SessionSetting, started_at: datetime, minutes: float, rng: Random) -> SessionRun:
    """Play about one request in three minutes; long sessions think longer, never half an hour without an event."""
    count = max(2, min(16, round(minutes / 3.2 + rng.uniform(-1, 2))))
    step = timedelta(minutes=minutes / count)
    context = _FIRST_CONTEXT + rng.randrange(12_000)
    cached = context if rng.random() < 0.7 else 0  # somebody's earlier session may have warmed the cache
    at = started_at + timedelta(milliseconds=rng.randrange(1000))
    turns: list[Turn] = []
    while count > 0:
        size = min(count, rng.randrange(2, 7))
        count -= size
        prompt_id, prompted_at = _uuid(rng), at
        requests: list[ModelRequest] = []
        for position in range(size):
            at += _milliseconds(step * rng.uniform(0.6, 1.4))
            request, context, cached = _ask(setting, at, context, cached, rng, last=position == size - 1)
            requests.append(request)
            if request.tool is not None and request.tool.slow:
                at += timedelta(milliseconds=request.tool.duration_ms)
            if request.failed:
                break
        turns.append(Turn(prompt_id, prompted_at, rng.randrange(20, 900), tuple(requests)))
        at += timedelta(seconds=rng.randrange(5, 60))
    commits = int(rng.random() < _COMMIT_CHANCE)
    return SessionRun(tuple(turns), at, commits)


def _ask(
    setting: SessionSetting, at: datetime, context: int, cached: int, rng: Random, *, last: bool
) -> tuple[ModelRequest, int, int]:
    """One request, and the context and its cached part after it."""
    grown = context + rng.randrange(1500, 17_000)
    if grown > _CONTEXT_LIMIT:
        grown, cached = _FIRST_CONTEXT * 2, 0
    cache_read = int(cached * setting.cache_reuse)
    uncached_input = rng.randrange(4, 900)
    duration_ms = rng.randrange(1800, 14_000)
    failed = rng.random() < _API_ERROR_CHANCE
    tool = None if last or failed else _use_tool(setting, at, rng)
    cache_write = grown - cache_read
    if setting.agent != CLAUDE_CODE:  # what the others write to the cache is not told apart
        uncached_input, cache_write = uncached_input + cache_write, 0
    request = ModelRequest(
        at=at,
        request_id=f"req_{rng.getrandbits(96):024x}",
        model=setting.model,
        uncached_input=uncached_input,
        output=rng.randrange(150, 4200),
        cache_read=cache_read,
        cache_write=cache_write,
        duration_ms=duration_ms,
        tool=tool,
        failed=failed,
    )
    return request, grown, grown


def _use_tool(setting: SessionSetting, answered_at: datetime, rng: Random) -> ToolUse:
    name, _, failure_chance, usual_ms = rng.choices(_TOOLS, [share for _, share, _, _ in _TOOLS])[0]
    failure_chance = max(failure_chance, setting.failing_tools.get(name, 0))
    refused = name in ("Bash", "Edit", "Write") and rng.random() < _REFUSAL_CHANCE
    failed = not refused and rng.random() < failure_chance
    edits = name in ("Edit", "Write")
    worked = edits and not failed and not refused
    return ToolUse(
        tool=name,
        use_id=f"toolu_{rng.getrandbits(96):024x}",
        at=answered_at - timedelta(milliseconds=rng.randrange(30, 400)),
        duration_ms=0 if refused else max(1, int(usual_ms * rng.lognormvariate(0, 0.7))),
        error_type=_ERROR_TYPES.get(name, _OTHER_ERROR_TYPE) if failed else "",
        refused=refused,
        language=rng.choice(_LANGUAGES) if edits else "",
        lines_added=int(rng.lognormvariate(2.2 if name == "Edit" else 3.6, 0.9)) + 1 if worked else 0,
        lines_removed=int(rng.lognormvariate(1.2, 0.9)) if worked and name == "Edit" else 0,
    )


def _uuid(rng: Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _milliseconds(duration: timedelta) -> timedelta:
    return timedelta(milliseconds=int(duration.total_seconds() * 1000))
