"""Sentences about sessions of coding agents."""

from __future__ import annotations

from datetime import UTC

from integrations.telemetry.seats.csv_import import import_seats
from tests.org import DEFAULT_MODEL, Org
from tests.worked.facts import AgentSession
from tests.worked.sentences import Line, sentence
from tests.worked.story import Story

_AMOUNTS = {
    "minutes": r"for (?P<amount>[\d,]+) minutes",
    "requests": r"in (?P<amount>[\d,]+) requests",
    "input": r"(?P<amount>[\d.,]+k?) tokens sent",
    "cache_read": r"(?P<amount>[\d.,]+k?) read from the cache",
    "cache_write": r"(?P<amount>[\d.,]+k?) written to it",
    "output": r"(?P<amount>[\d.,]+k?) answered",
    "measured": r"(?P<amount>[\d.,]+k?) reported by metrics",
    "lines": r"(?P<amount>[\d.,]+k?) lines written",
}


@sentence(
    r"(?P<who>[a-z]+(?: and [a-z]+)*) works? with Claude Code"
    r"(?: in the session (?P<name>\S+)|(?P<unnamed> without a session id))?"
)
def works_with_an_agent(line: Line, who: str, name: str | None, unnamed: str | None) -> None:
    """An amount with a k is of thousands."""
    if unnamed:
        name = ""
    amounts = {field: _amount(text) for field, pattern in _AMOUNTS.items() if (text := line.text(pattern))}
    said = line.text(r"which it says cost ([\d.]+) dollars")
    cost = float(said) if said else None
    model = line.text(r"by the model (\S+)") or None
    calls = _tools(line, r"(\d+) calls? of (\S+)")
    failures = _tools(line, r"(\d+) of (\S+) that fails?")
    refusals = _tools(line, r"(\d+) of (\S+) refused")
    for person in who.split(" and "):
        line.story.sessions.append(
            AgentSession(
                person,
                line.at,
                name,
                **amounts,
                model=model,
                reported_cost=cost,
                calls=calls,
                failures=failures,
                refusals=refusals,
            )
        )


@sentence(r"(?P<who>[a-z]+) gets a seat of Claude Code for (?P<dollars>\d+) dollars a month")
def gets_a_seat(line: Line, who: str, dollars: str) -> None:
    line.story.seats.append((who, dollars, line.at.date()))


def hold_sessions(story: Story, org: Org) -> None:
    """The agents tell of them themselves; an admin enters who has a seat."""
    if story.seats:
        rows = [f"claude_code,Team,{dollars},{who}@example.com,,{since},\n" for who, dollars, since in story.seats]
        imported = import_seats(f"agent,plan,monthly_price,email,seats,start,end\n{''.join(rows)}".encode())
        assert not imported.errors, imported.errors
    for session in story.sessions:
        moment = session.at.astimezone(UTC)
        org.session(
            by=session.who,
            on=moment.date(),
            at=f"{moment:%H:%M}",
            minutes=session.minutes,
            requests=session.requests,
            tokens=session.input,
            cache_read=session.cache_read,
            cache_write=session.cache_write,
            output=session.output,
            measured=session.measured,
            model=session.model or DEFAULT_MODEL,
            lines=session.lines,
            reported_cost=session.reported_cost,
            tool_calls=session.calls,
            failures=session.failures,
            refusals=session.refusals,
            session_id=session.name,
        )
    if story.sessions:
        org.fold()


def _amount(text: str) -> int:
    thousands = text.endswith("k")
    return round(float(text.rstrip("k").replace(",", "")) * (1000 if thousands else 1))


def _tools(line: Line, pattern: str) -> dict[str, int]:
    return {tool: int(count) for count, tool in line.texts(pattern)}
