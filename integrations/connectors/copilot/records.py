"""Turns a day of GitHub's reports about Copilot into drafts, without I/O and without Django.

Use: docs.github.com/en/copilot/reference/copilot-usage-metrics/{copilot-usage-metrics, example-schema}.
Teams: docs.github.com/en/copilot/reference/copilot-usage-metrics/team-level-metrics.
Seats: docs.github.com/en/rest/copilot/copilot-user-management.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date
from typing import Any

from integrations.connectors.base import Json
from integrations.connectors.drafts import VendorReportDraft, VendorUsageDraft, Who
from integrations.connectors.reader import Reader
from integrations.connectors.vendor_days import count, draft_of, money, rows_in, summed
from integrations.enums import VendorContent, VendorLevel

USAGE, TEAMS, SEATS = "usage", "teams", "seats"
LOGINS_OF = "github"  # Copilot's people are accounts there
AGENT = "copilot"  # as its telemetry names it
EDITOR = "copilot"
PROGRAMS = {"copilot_cli": "totals_by_cli", "copilot_app": "totals_by_copilot_app"}  # in none of the other sums
USED = ("used_agent", "used_chat", "used_cli", "used_copilot_app", "used_copilot_cloud_agent")


def normalise_usage(payload: Json) -> Sequence[VendorReportDraft]:
    """Use of editors, the CLI and the app on the day, by person.  Raises SchemaError if a row is not as documented,
    because the day's sums would be wrong without it.
    """
    report = Reader(payload)
    numbers: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    phases: dict[str, str] = {}
    for row in rows_in(report):
        login = row.text("user_login")
        if phase := _phase(row):
            phases[login] = phase
        of_editors = _of_editors(row)
        if any(of_editors.values()) or any(row.boolean(name, default=False) for name in USED):
            numbers[login, EDITOR].append(of_editors)
        for product, path in PROGRAMS.items():
            of_program = _of_program(row, path)
            if any(of_program.values()):
                numbers[login, product].append(of_program)
    parts = [
        VendorUsageDraft(
            level=VendorLevel.PERSON,
            person=Who(login=login, at=LOGINS_OF),
            agent=AGENT,
            product=product,
            phase=phases.get(login, ""),
            **summed(of_key),
        )
        for (login, product), of_key in numbers.items()
    ]
    return [draft_of(report, report.text("report"), VendorContent.ACTIVITY, parts)]


def normalise_teams(payload: Json) -> Sequence[VendorReportDraft]:
    """The members of each team on the day; a team is named with its owner, as in acme/platform.

    Teams with the same name, which an enterprise may have in several organisations, are distinguished by their ids.
    """
    report = Reader(payload)
    name = report.text("report")
    owner = name.rpartition("/")[2]
    members = {(row.text("user_login"), row.identifier("team_id")): row.text("slug") for row in rows_in(report)}
    ids: dict[str, set[str]] = defaultdict(set)
    for (_, team_id), slug in members.items():
        ids[slug].add(team_id)
    parts = [
        VendorUsageDraft(
            level=VendorLevel.PERSON,
            person=Who(login=login, at=LOGINS_OF),
            name=f"{owner}/{slug}{f' ({team_id})' if len(ids[slug]) > 1 else ''}"[-200:],
            agent=AGENT,
        )
        for (login, team_id), slug in members.items()
    ]
    return [draft_of(report, name, VendorContent.TEAMS, parts)]


def normalise_seats(payload: Json) -> Sequence[VendorReportDraft]:
    """The people who have a seat on the day, and when they last used it.

    An enterprise lists somebody once per organisation that gave them a seat; the seat used last counts.
    """
    report = Reader(payload)
    seats: dict[str, VendorUsageDraft] = {}
    for row in rows_in(report):
        login = row.text("assignee.login")
        used_at = row.time("last_activity_at", default=None)
        used_on = used_at.astimezone(UTC).date() if used_at else None
        if login in seats and (used_on or date.min) <= (seats[login].last_used_on or date.min):
            continue
        seats[login] = VendorUsageDraft(
            level=VendorLevel.PERSON,
            person=Who(login=login, at=LOGINS_OF),
            agent=AGENT,
            product=row.text("plan_type", default="")[:200],
            last_used_on=used_on,
        )
    return [draft_of(report, report.text("report"), VendorContent.SEATS, list(seats.values()))]


NORMALISE: Mapping[str, Callable[[Json], Sequence[VendorReportDraft]]] = {
    USAGE: normalise_usage,
    TEAMS: normalise_teams,
    SEATS: normalise_seats,
}


def _of_editors(row: Reader) -> dict[str, Any]:
    return {
        "requests": count(row, "user_initiated_interaction_count"),
        "suggestions": count(row, "code_generation_activity_count"),
        "acceptances": count(row, "code_acceptance_activity_count"),
        "lines_suggested": count(row, "loc_suggested_to_add_sum"),
        "lines_added": count(row, "loc_added_sum"),
        "lines_removed": count(row, "loc_deleted_sum"),
        "credits": money(row, "ai_credits_used", cents=False),  # of all programs
    }


def _of_program(row: Reader, path: str) -> dict[str, Any]:
    return {
        "sessions": count(row, f"{path}.session_count"),
        "requests": count(row, f"{path}.request_count"),
        "input_tokens": count(row, f"{path}.token_usage.prompt_tokens_sum"),
        "output_tokens": count(row, f"{path}.token_usage.output_tokens_sum"),
    }


def _phase(row: Reader) -> str:
    """The phase of adoption with the version of GitHub's rule, such as Phase 2 (v1)."""
    phase, version = (row.text(f"ai_adoption_phase.{name}", default="") for name in ("phase", "version"))
    return (f"{phase} ({version})" if version else phase)[:40]
