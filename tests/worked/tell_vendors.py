"""Sentences about what vendors of agents report."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from integrations.connectors.drafts import VendorUsageDraft, Who
from integrations.enums import VendorContent, VendorLevel
from tests.org import DEFAULT_MODEL
from tests.worked.sentences import Line, sentence
from tests.worked.story import person


@sentence(r"Anthropic bills (?P<whom>a key|[a-z]+) (?P<dollars>[\d.]+) dollars")
def bills(line: Line, whom: str, dollars: str) -> None:
    is_chat, tokens = line.says("for chats"), line.text(r"of (\d+)k tokens")
    listed = line.text("by list (.+) dollars", dollars)
    _report(
        line,
        VendorContent.BILL,
        whom,
        product="chat" if is_chat else "claude_code",
        agent="" if is_chat else "claude_code",
        model=DEFAULT_MODEL,
        input_tokens=int(tokens) * 1000 if tokens else None,
        cost=Decimal(dollars),
        list_cost=Decimal(listed),
        currency="USD",
    )


@sentence(r"Anthropic bills nobody")
def bills_nobody(line: Line) -> None:
    line.story.vendor_usage.setdefault((VendorContent.BILL, line.at.date()), [])


@sentence(r"Anthropic counts (?P<sessions>\d+) sessions of (?P<whom>[a-z]+)")
def counts_sessions(line: Line, sessions: str, whom: str) -> None:
    edits = line.texts(r"(\d+) of (\d+) edits accepted")
    accepted, of = edits[0] if edits else ("0", "0")
    _report(
        line,
        VendorContent.ACTIVITY,
        whom,
        agent="claude_code",
        sessions=int(sessions),
        lines_added=int(line.text(r"(\d+) lines added", "0")),
        acceptances=int(accepted),
        suggestions=int(of),
    )


@sentence(r"Copilot reports (?P<whom>[a-z]+)")
def reports_use(line: Line, whom: str) -> None:
    spent, phase = Decimal(line.text(r"([\d.]+) credits", "0")), line.text("phase (.+)")
    _report(line, VendorContent.ACTIVITY, whom, agent="copilot", requests=1, credits=spent, phase=phase)


@sentence(r"Copilot has a seat of (?P<whom>[a-z]+)")
def has_a_seat(line: Line, whom: str) -> None:
    used = line.text(r"last used on (.+)")
    last_used_on = date.fromisoformat(used) if used else None
    _report(line, VendorContent.SEATS, whom, agent="copilot", product="business", last_used_on=last_used_on)


@sentence(r"Copilot has (?P<whom>[a-z]+) in team (?P<team>.+)")
def is_in_team(line: Line, whom: str, team: str) -> None:
    of_day = line.story.vendor_usage.setdefault((VendorContent.TEAMS, line.at.date()), [])
    of_day.append(VendorUsageDraft(level=VendorLevel.PERSON, person=person(whom), name=team, agent="copilot"))


@sentence(r"Gemini counts (?P<number>\d+) people in project (?P<project>.+)")
def counts_people(line: Line, number: str, project: str) -> None:
    _report(line, VendorContent.ACTIVITY, project, VendorLevel.PROJECT, agent="gemini", people=int(number))


def _report(
    line: Line, content: VendorContent, whom: str, level: VendorLevel = VendorLevel.PERSON, **numbers: Any
) -> None:
    level = VendorLevel.KEY if whom == "a key" else level
    who: Who | None = person(whom) if level == VendorLevel.PERSON else None
    of_day = line.story.vendor_usage.setdefault((content, line.at.date()), [])
    of_day.append(VendorUsageDraft(level=level, person=who, name="" if who else whom, **numbers))
