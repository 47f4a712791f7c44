"""Parse the JSON of ccusage (https://github.com/ccusage/ccusage): days, sessions and blocks of hours.

Pure.  Tested with version 20.0; alternative names of fields are those of older versions.  Numbers
are per model where the report breaks them down; input tokens exclude cached ones, output includes reasoning.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from integrations.models.usage_files import ImportedUsage

Form = ImportedUsage.Form
LARGEST_COUNT = 10**15  # the limit of telemetry columns, too
LARGEST_COST = 10**9
MOST_ROWS = 200_000
EARLIEST, LATEST = date(2020, 1, 1), date(2100, 1, 1)

# ccusage's names of agents → ours; others are kept.
AGENTS = {"claude": "claude_code", "gemini": "gemini", "codex": "codex", "copilot": "copilot"}
_FORMS = {
    "daily": Form.DAY,
    "projects": Form.DAY,
    "session": Form.SESSION,
    "sessions": Form.SESSION,
    "blocks": Form.BLOCK,
}
_SUMS = {"monthly": "months", "weekly": "weeks"}
# A session's id at the end of its path: a UUID, alone or after `rollout-2026-05-14T09-00-00-` or `T-`, or an opencode
# id. Anything else is a folder: before version 18 ccusage summed up all sessions in a folder, whose name may contain a
# UUID, too (`-tmp-0f55df90-…`).
_SESSION_ID = re.compile(
    r"(?:rollout-[0-9T:.-]+-|T-)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:\.jsonl?)?"
    r"|(ses_[0-9a-z]{16,40})",
    re.IGNORECASE,
)
_TOKENS = {
    "input_tokens": ("inputTokens",),
    "cache_read_tokens": ("cacheReadTokens", "cacheReadInputTokens"),
    "cache_write_tokens": ("cacheCreationTokens", "cacheCreationInputTokens"),
    "output_tokens": ("outputTokens",),
}


A_FOLDER = (
    "This is a folder, not a session id: before version 18, ccusage summed everything that ever ran in a folder. "
    "Export again with a newer one, `npx ccusage@latest session --json`, or export days: `ccusage daily --json`."
)


@dataclass(frozen=True)
class Problem:
    field: str  # its path in the file, e.g. daily[2].modelBreakdowns[0].inputTokens
    message: str


@dataclass(frozen=True)
class UsageRow:
    """The tokens of one model in a session, a day or a block."""

    agent: str
    form: ImportedUsage.Form
    key: str
    model: str
    day: date
    first_day: date | None = None  # for a session whose first activity is a day without a time
    started_at: datetime | None = None
    ended_at: datetime | None = None
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reported_cost: float | None = None


@dataclass
class Report:
    """The content of a file; if there are problems, nothing must be stored."""

    rows: list[UsageRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class _BadFieldError(ValueError):
    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(path, message)


def read_report(document: object, *, zone: ZoneInfo, agent: str = "") -> Report:
    """Read a parsed file; `zone` is the organisation's time zone, `agent` the agent of rows that do not name one.

    Rows that name their agent or a Claude model do not need `agent`.
    """
    report = Report()
    try:
        form, entries = _entries(document)
    except _BadFieldError as bad:
        report.problems.append(bad.problem)
        return report
    merged: dict[tuple[str, str, str], UsageRow] = {}
    for path, entry in entries:
        try:
            for row in _rows(path, entry, form, zone, agent):
                _add(merged, row)
        except _BadFieldError as bad:
            report.problems.append(bad.problem)
        if len(merged) > MOST_ROWS:
            report.problems.append(Problem("", f"At most {MOST_ROWS:,} rows at once: narrow it with --since."))
            break
    report.rows = list(merged.values())
    if not report.rows and not report.problems:
        report.problems.append(Problem("", "It contains no tokens: ccusage found no usage on that machine."))
    return report


def _entries(document: object) -> tuple[ImportedUsage.Form, list[tuple[str, Any]]]:
    """The form of the report, and each of its entries with its path."""
    if not isinstance(document, Mapping):
        raise _BadFieldError("", "This is not JSON of ccusage: an object with daily, session or blocks is expected.")
    for name, noun in _SUMS.items():
        if name in document or document.get("type") == name:
            raise _BadFieldError(
                name,
                f"Sums of {noun} can’t be priced by day, nor separated from what agents sent on some of the days. "
                "Export the same with `ccusage daily --json`.",
            )
    name = next((name for name in _FORMS if name in document), "")
    if name == "" and document.get("type") in _FORMS and "data" in document:
        name, document = str(document["type"]), {str(document["type"]): document["data"]}
    if not name:
        raise _BadFieldError("", "It has no daily, session, sessions or blocks: is it the output of ccusage --json?")
    section = document[name]
    if name == "projects":
        groups = _mapping(section, name)
        listed = [(f"{name}.{group}", entries) for group, entries in groups.items()]
    else:
        listed = [(name, section)]
    return _FORMS[name], [
        (f"{path}[{position}]", entry)
        for path, entries in listed
        for position, entry in enumerate(_sequence(entries, path))
    ]


def _rows(path: str, entry: Any, form: ImportedUsage.Form, zone: ZoneInfo, agent: str) -> Iterator[UsageRow]:
    entry = _mapping(entry, path)
    if entry.get("isGap") is True:
        return
    models = list(_models(path, entry))
    row_agent = _agent(path, entry, agent, [model for _, model, _ in models])
    key, times = _when(path, entry, form, zone)
    costs = [_cost(where, counts) for where, _, counts in models]
    whole = _cost(path, entry)
    for position, (where, model, counts) in enumerate(models):
        tokens: dict[str, Any] = {name: _count(where, counts, names) for name, names in _TOKENS.items()}
        cost = whole if len(models) == 1 and costs[position] is None else costs[position]
        if any(tokens.values()) or cost:
            yield UsageRow(row_agent, form, key, model, *times, **tokens, reported_cost=cost)


def _models(path: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(path, model, counts) of each model; without a breakdown, those of the entry itself."""
    if entry.get("modelBreakdowns"):
        for position, broken_down in enumerate(_sequence(entry["modelBreakdowns"], f"{path}.modelBreakdowns")):
            where = f"{path}.modelBreakdowns[{position}]"
            counts = _mapping(broken_down, where)
            yield where, _text(f"{where}.modelName", counts.get("modelName")), counts
        return
    by_model = entry.get("models") if isinstance(entry.get("models"), Mapping) else entry.get("breakdown")
    if isinstance(by_model, Mapping) and by_model:
        for model, counts in by_model.items():
            where = f"{path}.models.{model}"
            yield where, _text(where, model), _mapping(counts, where)
        return
    names = entry.get("models") or entry.get("modelsUsed") or []
    names = _sequence(names, f"{path}.models")
    if len(names) > 1:
        raise _BadFieldError(
            f"{path}.models",
            "Tokens of several models in one sum cannot be priced. Export days or sessions, which ccusage breaks down.",
        )
    where = f"{path}.tokenCounts" if "tokenCounts" in entry else path
    counts = _mapping(entry.get("tokenCounts", entry), where)
    yield where, _text(f"{path}.models[0]", names[0]) if names else "", counts


def _agent(path: str, entry: Mapping[str, Any], agent: str, models: Sequence[str]) -> str:
    reported = entry.get("agent")
    if reported in (None, "all"):
        metadata = entry.get("metadata")
        several = metadata.get("agents") if isinstance(metadata, Mapping) else None
        if isinstance(several, Sequence) and len(several) > 1 and not isinstance(several, str):
            named = ", ".join(map(str, several))
            raise _BadFieldError(
                f"{path}.metadata.agents",
                f"One sum of several agents ({named}). Export `ccusage session --json`, or each by itself: "
                f"`ccusage {several[0]} daily --json`.",
            )
        reported = several[0] if several and not isinstance(several, str) else None
    if reported is not None:
        name = _text(f"{path}.agent", reported)
        return AGENTS.get(name, re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40])
    if agent:
        return agent
    if models and all(model.startswith("claude") or model == "<synthetic>" for model in models):
        return "claude_code"
    raise _BadFieldError(path, "It does not name the agent: name one, such as codex.")


class _Times(NamedTuple):
    """The times of a row: the local day on which it counts, and exact times if the file has any."""

    day: date
    first_day: date | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


def _when(path: str, entry: Mapping[str, Any], form: ImportedUsage.Form, zone: ZoneInfo) -> tuple[str, _Times]:
    """The key of an entry, and its times."""
    if form is Form.DAY:
        where, value = _first(path, entry, ("date", "period", "sessionId"))
        if where.endswith(".sessionId"):
            raise _BadFieldError(where, A_FOLDER)
        day = _day(where, value)
        return day.isoformat(), _Times(day)
    if form is Form.BLOCK:
        where, value = _first(path, entry, ("startTime", "blockStart"))
        began = _moment(where, value)
        ended = entry.get("actualEndTime") or entry.get("endTime") or entry.get("blockEnd")
        last = _moment(f"{path}.actualEndTime", ended) if ended else began
        times = _Times(began.astimezone(zone).date(), None, began, max(began, last))
        return began.astimezone(UTC).isoformat(), times
    where, value = _first(path, entry, ("sessionId", "period", "session"))
    key = _session_id(where, value)
    beside = entry.get("metadata")
    metadata: Mapping[str, Any] = beside if isinstance(beside, Mapping) else {}
    last_activity = entry.get("lastActivity") or metadata.get("lastActivity")
    if not last_activity:
        raise _BadFieldError(f"{path}.lastActivity", "It has no time for this session: export days instead.")
    day, ended_at = _activity(f"{path}.lastActivity", last_activity, zone)
    first_activity = entry.get("firstActivity") or metadata.get("firstActivity") or last_activity
    first_day, started_at = _activity(f"{path}.firstActivity", first_activity, zone)
    if first_day > day or (started_at and ended_at and started_at > ended_at):
        raise _BadFieldError(f"{path}.firstActivity", "It lies after the last activity.")
    return key, _Times(day, None if started_at else first_day, started_at, ended_at)


def _session_id(path: str, value: Any) -> str:
    """The session's id as in telemetry, without the folders before it."""
    _text(path, value)
    match = _SESSION_ID.fullmatch(re.split(r"[/\\]", value.strip())[-1])
    if match is None:
        raise _BadFieldError(path, A_FOLDER)
    return match[1] or match[2]


def _activity(path: str, value: Any, zone: ZoneInfo) -> tuple[date, datetime | None]:
    """The local day and the time of activity; a date without a time is a local day."""
    with suppress(ValueError):
        date.fromisoformat(str(value))
        return _day(path, value), None
    moment = _moment(path, value)
    return moment.astimezone(zone).date(), moment


def _add(merged: dict[tuple[str, str, str], UsageRow], row: UsageRow) -> None:
    """Add a row; rows of one day in several projects are merged."""
    at = (row.agent, row.key, row.model)
    known = merged.get(at)
    if known is None:
        merged[at] = row
        return
    costs = [cost for cost in (known.reported_cost, row.reported_cost) if cost is not None]
    merged[at] = replace(
        row,
        day=max(known.day, row.day),
        first_day=_least(known.first_day, row.first_day),
        started_at=_least(known.started_at, row.started_at),
        ended_at=_greatest(known.ended_at, row.ended_at),
        **{name: getattr(known, name) + getattr(row, name) for name in _TOKENS},
        reported_cost=sum(costs) if costs else None,
    )


def _least(a: Any, b: Any) -> Any:
    return min((known for known in (a, b) if known is not None), default=None)


def _greatest(a: Any, b: Any) -> Any:
    return max((known for known in (a, b) if known is not None), default=None)


def _first(path: str, entry: Mapping[str, Any], names: Sequence[str]) -> tuple[str, Any]:
    for name in names:
        if entry.get(name) not in (None, ""):
            return f"{path}.{name}", entry[name]
    raise _BadFieldError(f"{path}.{names[0]}", "It is missing.")


def _count(path: str, counts: Mapping[str, Any], names: Sequence[str]) -> int:
    name = next((name for name in names if name in counts), names[0])
    value = counts.get(name, 0)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value % 1:
        raise _BadFieldError(f"{path}.{name}", f"{value!r} is not a number of tokens.")
    if not 0 <= value <= LARGEST_COUNT:
        raise _BadFieldError(f"{path}.{name}", f"{value!r} is not a possible number of tokens.")
    return int(value)


def _cost(path: str, counts: Mapping[str, Any]) -> float | None:
    name = next((name for name in ("cost", "costUSD", "totalCost") if counts.get(name) is not None), None)
    if name is None:
        return None
    value = counts[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _BadFieldError(f"{path}.{name}", f"{value!r} is not an amount in dollars.")
    if not 0 <= value <= LARGEST_COST:
        raise _BadFieldError(f"{path}.{name}", f"{value!r} is not a possible amount in dollars.")
    return float(value)


def _text(path: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        raise _BadFieldError(path, "A name is expected.")
    return value.strip()[:120]


def _day(path: str, value: Any) -> date:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        raise _BadFieldError(path, f"{value!r} is not a day such as 2026-01-31.") from None
    if not EARLIEST <= day < LATEST:
        raise _BadFieldError(path, f"{value!r} is not a possible day.")
    return day


def _moment(path: str, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise _BadFieldError(path, f"{value!r} is not a time such as 2026-01-31T10:00:00Z.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if not EARLIEST <= moment.date() < LATEST:
        raise _BadFieldError(path, f"{value!r} is not a possible time.")
    return moment


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _BadFieldError(path, "An object is expected here.")
    return value


def _sequence(value: Any, path: str) -> Sequence[Any]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise _BadFieldError(path, "A list is expected here.")
    return value
