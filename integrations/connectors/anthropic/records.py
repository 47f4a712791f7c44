"""Turns a day of Anthropic's reports into drafts, without I/O and without Django.

Usage and cost: platform.claude.com/docs/en/api/beta/organization/analytics/{usage, cost}.
Claude Code analytics: platform.claude.com/docs/en/manage-claude/claude-code-analytics-api.
Claude Enterprise analytics: support.claude.com/en/articles/13703965.
Spend limits: platform.claude.com/docs/en/manage-claude/spend-limits-api.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from integrations.connectors.base import Json
from integrations.connectors.drafts import VendorReportDraft, VendorUsageDraft, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.reader import Reader
from integrations.connectors.vendor_days import count, draft_of, money, rows_in, summed
from integrations.enums import VendorContent, VendorLevel
from integrations.model_names import model_name

USAGE_AND_COST, CLAUDE_CODE, ENGAGEMENT = "usage_and_cost", "claude_code", "engagement"
SPEND_LIMITS = "spend_limits"
MONTHLY = "monthly"  # the only period that there is so far
AGENT = "claude_code"  # as its telemetry names it
AGENTS = {"claude_code": AGENT}  # by product; others are no coding agents
EDITS = ("edit_tool", "multi_edit_tool", "write_tool", "notebook_edit_tool")
LONGEST_NAME = 200


class _Actor(NamedTuple):
    level: VendorLevel
    person: Who | None
    name: str


class _Key(NamedTuple):
    actor: _Actor
    product: str
    model: str


_Rows = Mapping[_Key, Sequence[Mapping[str, Any]]]


def normalise_usage_and_cost(payload: Json) -> Sequence[VendorReportDraft]:
    """The tokens and cost of a day, by person or key, product and model.  Raises SchemaError if a row is not as
    documented, because the day's sums would be wrong without it.
    """
    report = Reader(payload)
    rows: dict[_Key, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows_in(report, "usage"):
        rows[_key_of(row)].append(_usage(row))
    currencies = set()
    for row in rows_in(report, "costs"):
        rows[_key_of(row)].append(_cost(row))
        currencies.add(row.text("cost.currency", default="USD").strip().upper())
    if len(currencies) > 1:
        raise SchemaError("cost.currency", f"should be one currency and is {' and '.join(sorted(currencies))}")
    return [_report(report, USAGE_AND_COST, VendorContent.BILL, rows, currency=min(currencies, default=""))]


def normalise_claude_code(payload: Json) -> Sequence[VendorReportDraft]:
    """Sessions, edits and lines of a day by person, and tokens with their estimated cost by model."""
    report = Reader(payload)
    rows: dict[_Key, list[Mapping[str, Any]]] = defaultdict(list)
    for record in rows_in(report, "records"):
        actor = _actor(record.object("actor"))
        rows[_Key(actor, AGENT, "")].append(
            {
                "sessions": count(record, "core_metrics.num_sessions"),
                "lines_added": count(record, "core_metrics.lines_of_code.added"),
                "lines_removed": count(record, "core_metrics.lines_of_code.removed"),
                **_edits(record, "tool_actions", "accepted", "rejected"),
            }
        )
        for used in record.objects("model_breakdown"):
            rows[_Key(actor, AGENT, _model(used.text("model")))].append(
                {
                    "input_tokens": count(used, "tokens.input"),
                    "cache_read_tokens": count(used, "tokens.cache_read"),
                    "cache_write_tokens": count(used, "tokens.cache_creation"),
                    "output_tokens": count(used, "tokens.output"),
                    "list_cost": money(used, "estimated_cost.amount", cents=True),
                }
            )
    return [_report(report, CLAUDE_CODE, VendorContent.ACTIVITY, rows, currency="USD")]


def normalise_engagement(payload: Json) -> Sequence[VendorReportDraft]:
    """Sessions, edits and lines of Claude Code on a day, from the report of Claude Enterprise; chats are not stored."""
    report = Reader(payload)
    rows: dict[_Key, list[Mapping[str, Any]]] = defaultdict(list)
    for record in rows_in(report, "records"):
        core = "claude_code_metrics.core_metrics"
        numbers = {
            "sessions": count(record, f"{core}.distinct_session_count"),
            "lines_added": count(record, f"{core}.lines_of_code.added_count"),
            "lines_removed": count(record, f"{core}.lines_of_code.removed_count"),
            **_edits(record, "claude_code_metrics.tool_actions", "accepted_count", "rejected_count"),
        }
        email = record.text("user.email_address", default="")
        if any(numbers.values()):
            rows[_Key(_person(email, record.identifier("user.id")), AGENT, "")].append(numbers)
    return [_report(report, ENGAGEMENT, VendorContent.ACTIVITY, rows)]


def normalise_spend_limits(payload: Json) -> Sequence[VendorReportDraft]:
    """Each member's limit of the month, the level at which it was set, and how much of it they have spent by that
    day.
    """
    report = Reader(payload)
    parts: dict[_Actor, VendorUsageDraft] = {}
    for row, sent in zip(rows_in(report), report.value("rows"), strict=True):
        if row.text("period") != MONTHLY:
            continue
        actor = row.object("actor")
        if actor is None:
            raise SchemaError("actor", "is missing")
        if "amount" not in sent:  # null is no limit
            raise SchemaError("amount", "is missing")
        whose = _person(actor.text("email_address", default=""), actor.identifier("user_id", default=""))
        parts[whose] = VendorUsageDraft(
            level=whose.level,
            person=whose.person,
            name=whose.name,
            product=row.text("source.type", default="")[:LONGEST_NAME],
            cost=money(row, "period_to_date_spend", cents=True),
            spend_limit=money(row, "amount", cents=True),
            currency=row.text("currency").strip().upper(),
        )
    return [draft_of(report, SPEND_LIMITS, VendorContent.LIMITS, list(parts.values()))]


NORMALISE: Mapping[str, Callable[[Json], Sequence[VendorReportDraft]]] = {
    USAGE_AND_COST: normalise_usage_and_cost,
    CLAUDE_CODE: normalise_claude_code,
    ENGAGEMENT: normalise_engagement,
    SPEND_LIMITS: normalise_spend_limits,
}


def _report(report: Reader, name: str, content: VendorContent, rows: _Rows, *, currency: str = "") -> VendorReportDraft:
    return draft_of(report, name, content, [_part(key, summed(of_key), currency) for key, of_key in rows.items()])


def _part(key: _Key, numbers: Mapping[str, Any], currency: str) -> VendorUsageDraft:
    has_money = any(numbers.get(name) is not None for name in ("cost", "list_cost"))
    return VendorUsageDraft(
        level=key.actor.level,
        person=key.actor.person,
        name=key.actor.name,
        agent=AGENTS.get(key.product, ""),
        product=key.product,
        model=key.model,
        currency=currency if has_money else "",
        **numbers,
    )


def _key_of(row: Reader) -> _Key:
    row.time("starting_at")
    group = row.object("group")
    if group is None:
        raise SchemaError("group", "is missing")
    product = group.text("product", default="")[:LONGEST_NAME]
    return _Key(_actor(group.object("actor")), product, _model(group.text("model", default="")))


def _actor(actor: Reader | None) -> _Actor:
    """The person behind a row, if there is one; otherwise the name of the key, service account or federated
    identity.
    """
    if actor is None:
        return _Actor(VendorLevel.ORGANISATION, None, "")
    if actor.text("type") == "user_actor":
        return _person(actor.text("email_address", default=""), actor.identifier("user_id", default=""))
    names = ("service_account_id", "api_key_id", "api_key_name", "name", "type")
    name = next(filter(None, (actor.text(field, default="") for field in names)), "")
    return _Actor(VendorLevel.KEY, None, name[:LONGEST_NAME])


def _person(email: str, account: str) -> _Actor:
    """The person with this address, so that two accounts with one address are one person; a deleted account has
    no person.
    """
    if not email and not account:
        return _Actor(VendorLevel.ORGANISATION, None, "")
    who = Who(email=email.strip().lower()) if email.strip() else Who(account=account)
    return _Actor(VendorLevel.PERSON, who, "")


def _model(sent: str) -> str:
    return model_name(sent) if sent else ""


def _usage(row: Reader) -> dict[str, Any]:
    if not row.has("usage"):
        raise SchemaError("usage", "is missing")
    written = ("usage.cache_creation.ephemeral_5m_input_tokens", "usage.cache_creation.ephemeral_1h_input_tokens")
    return {
        "input_tokens": count(row, "usage.uncached_input_tokens"),
        "cache_read_tokens": count(row, "usage.cache_read_input_tokens"),
        **summed({"cache_write_tokens": count(row, path)} for path in written),
        "output_tokens": count(row, "usage.output_tokens"),
        "requests": count(row, "usage.requests"),
    }


def _cost(row: Reader) -> dict[str, Any]:
    cost = money(row, "cost.amount", cents=True)
    if cost is None:
        raise SchemaError("cost.amount", "is missing")
    listed = money(row, "cost.list_amount", cents=True)
    return {"cost": cost, "list_cost": cost if listed is None else listed}


def _edits(record: Reader, path: str, accepted: str, rejected: str) -> dict[str, Any]:
    """Edits that an agent suggested, and those that were accepted."""
    taken = summed({"number": count(record, f"{path}.{tool}.{accepted}")} for tool in EDITS)["number"]
    refused = summed({"number": count(record, f"{path}.{tool}.{rejected}")} for tool in EDITS)["number"]
    known = [number for number in (taken, refused) if number is not None]
    return {"acceptances": taken, "suggestions": sum(known) if known else None}
