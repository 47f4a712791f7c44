"""Turns a day of Cursor's Admin API into drafts, without I/O and without Django.

Fields: cursor.com/docs/account/teams/admin-api; those of `tokenUsage` as its clients read them.

Usage events have no id; they are added up by person and model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.connectors.base import Json
from integrations.connectors.drafts import ProvidedParts, VendorReportDraft, VendorUsageDraft, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.reader import Reader
from integrations.connectors.vendor_days import count, money, summed, total
from integrations.enums import VendorContent, VendorLevel
from integrations.model_names import model_name

DAILY_USAGE, USAGE_EVENTS = "daily_usage", "usage_events"
AGENT = PRODUCT = "cursor"
SUGGESTED, ACCEPTED = ("totalTabsShown", "totalAccepts", "totalRejects"), ("totalTabsAccepted", "totalAccepts")
REQUESTS = ("composerRequests", "chatRequests", "agentRequests", "cmdkUsages")

Numbers = Mapping[str, Any]


def normalise_daily_usage(payload: Json) -> Sequence[VendorReportDraft]:
    """The people who were active on the day: requests, suggestions and accepted lines."""
    report = Reader(payload)
    rows: dict[tuple[str, str], list[Numbers]] = defaultdict(list)
    for row in _rows(report):
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
    """Tokens and cost of the day by person and model.  SchemaError: an event is not as documented, and without it the
    day's sums would be wrong."""
    report = Reader(payload)
    rows: dict[tuple[str, str], list[Numbers]] = defaultdict(list)
    for event in _rows(report):
        model = event.text("model", default="")
        rows[_email(event, "userEmail"), model_name(model) if model else ""].append(_event(event))
    return [_report(report, USAGE_EVENTS, VendorContent.BILL, rows)]


NORMALISE: Mapping[str, Callable[[Json], Sequence[VendorReportDraft]]] = {
    DAILY_USAGE: normalise_daily_usage,
    USAGE_EVENTS: normalise_usage_events,
}


def _event(event: Reader) -> Numbers:
    """The numbers of an event: use that the plan includes costs nothing; the list price is the models' cost."""
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
    day = date.fromisoformat(report.text("day"))
    parts = [_part(email, model, summed(of_key)) for (email, model), of_key in rows.items()]
    return VendorReportDraft(
        external_id=f"{name}:{day}", report=name, content=content, day=day, usage=ProvidedParts(parts)
    )


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


def _rows(report: Reader) -> list[Reader]:
    rows = report.value("rows")
    if not isinstance(rows, list):
        raise SchemaError("rows", "should be a list")
    return [Reader(row, f"rows[{position}]", parent=report) for position, row in enumerate(rows)]


def _email(row: Reader, name: str) -> str:
    """Lower case, so that one address is one person; a removed member may have none."""
    if not row.has(name) and not row.has("userId"):
        raise SchemaError(name, "is missing")
    return row.text(name, default="").strip().lower()
