"""Turns a day of Cursor's reports into drafts, without I/O and without Django.

Fields: cursor.com/docs/account/teams/{admin-api, ai-code-tracking-api}; those of `tokenUsage` as its clients read them.

Usage events have no id; they are added up by person and model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from integrations.connectors.base import Json
from integrations.connectors.drafts import VendorReportDraft, VendorUsageDraft, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.reader import Reader
from integrations.connectors.vendor_days import count, draft_of, money, rows_in, summed, total
from integrations.enums import VendorContent, VendorLevel
from integrations.model_names import model_name

DAILY_USAGE, USAGE_EVENTS = "daily_usage", "usage_events"
MEMBERS, COMMITS = "members", "commits"
AGENT = PRODUCT = "cursor"
LONGEST_COMMIT = 64
SUGGESTED, ACCEPTED = ("totalTabsShown", "totalAccepts", "totalRejects"), ("totalTabsAccepted", "totalAccepts")
REQUESTS = ("composerRequests", "chatRequests", "agentRequests", "cmdkUsages")

Numbers = Mapping[str, Any]


def normalise_daily_usage(payload: Json) -> Sequence[VendorReportDraft]:
    """The people who were active on the day: requests, suggestions and accepted lines."""
    report = Reader(payload)
    rows: dict[tuple[str, str], list[Numbers]] = defaultdict(list)
    for row in rows_in(report):
        if row.boolean("isActive"):
            rows[_email(row, "email"), ""].append(
                {
                    "requests": total(count(row, name) for name in REQUESTS),
                    "suggestions": total(count(row, name) for name in SUGGESTED),
                    "acceptances": total(count(row, name) for name in ACCEPTED),
                    "lines_added": count(row, "acceptedLinesAdded"),
                    "lines_removed": count(row, "acceptedLinesDeleted"),
                }
            )
    return [_report(report, DAILY_USAGE, VendorContent.ACTIVITY, rows)]


def normalise_usage_events(payload: Json) -> Sequence[VendorReportDraft]:
    """Tokens and cost of the day by person and model.  Raises SchemaError if an event is not as documented, because the
    day's sums would be wrong without it.
    """
    report = Reader(payload)
    rows: dict[tuple[str, str], list[Numbers]] = defaultdict(list)
    for event in rows_in(report):
        model = event.text("model", default="")
        rows[_email(event, "userEmail"), model_name(model) if model else ""].append(_event(event))
    return [_report(report, USAGE_EVENTS, VendorContent.BILL, rows)]


def normalise_members(payload: Json) -> Sequence[VendorReportDraft]:
    """The members of the team, each of whom has a seat."""
    report = Reader(payload)
    emails = {_email(row, "email") for row in rows_in(report) if not row.boolean("isRemoved", default=False)}
    rows: dict[tuple[str, str], list[Numbers]] = {(email, ""): [] for email in emails if email}
    return [_report(report, MEMBERS, VendorContent.SEATS, rows)]


def normalise_commits(payload: Json) -> Sequence[VendorReportDraft]:
    """The lines of each commit that Cursor traced to completions and agents, and all lines that the commit adds."""
    report = Reader(payload)
    parts: dict[str, VendorUsageDraft] = {}
    for row in rows_in(report):
        commit, email = row.text("commitHash").strip().lower()[:LONGEST_COMMIT], _email(row, "userEmail")
        parts[commit] = VendorUsageDraft(
            level=VendorLevel.PERSON if email else VendorLevel.ORGANISATION,
            person=Who(email=email) if email else None,
            name=commit,
            agent=AGENT,
            product=PRODUCT,
            lines_added=total(count(row, name) for name in ("tabLinesAdded", "composerLinesAdded")),
            lines_removed=total(count(row, name) for name in ("tabLinesDeleted", "composerLinesDeleted")),
            lines_of_commit=count(row, "totalLinesAdded"),
        )
    return [draft_of(report, COMMITS, VendorContent.COMMITS, list(parts.values()))]


NORMALISE: Mapping[str, Callable[[Json], Sequence[VendorReportDraft]]] = {
    DAILY_USAGE: normalise_daily_usage,
    USAGE_EVENTS: normalise_usage_events,
    MEMBERS: normalise_members,
    COMMITS: normalise_commits,
}


def _event(event: Reader) -> Numbers:
    """The numbers of an event: use included in the plan costs nothing; the list price is the models' cost."""
    listed = money(event, "tokenUsage.totalCents", cents=True)
    charged = money(event, "chargedCents", cents=True)
    if charged is None:
        charged = Decimal(0) if not event.boolean("isChargeable", default=True) else listed
    return {
        "requests": 1,
        "input_tokens": count(event, "tokenUsage.inputTokens"),
        "cache_read_tokens": count(event, "tokenUsage.cacheReadTokens"),
        "cache_write_tokens": count(event, "tokenUsage.cacheWriteTokens"),
        "output_tokens": count(event, "tokenUsage.outputTokens"),
        "cost": charged,
        "list_cost": charged if listed is None else listed,
    }


def _report(
    report: Reader, name: str, content: VendorContent, rows: Mapping[tuple[str, str], Iterable[Numbers]]
) -> VendorReportDraft:
    return draft_of(report, name, content, [_part(*key, summed(of_key)) for key, of_key in rows.items()])


def _part(email: str, model: str, numbers: Numbers) -> VendorUsageDraft:
    return VendorUsageDraft(
        level=VendorLevel.PERSON if email else VendorLevel.ORGANISATION,
        person=Who(email=email) if email else None,
        agent=AGENT,
        product=PRODUCT,
        model=model,
        currency="USD" if numbers.get("cost") is not None else "",
        **numbers,
    )


def _email(row: Reader, name: str) -> str:
    """The address in lower case, so that one address is one person; a removed member may have none."""
    if not row.has(name) and not row.has("userId"):
        raise SchemaError(name, "is missing")
    return row.text(name, default="").strip().lower()
