"""Turns a day of OpenAI's reports into drafts, without I/O and without Django.

Usage and costs: developers.openai.com/api/reference/resources/admin/subresources/organization/subresources/usage.
Codex analytics: developers.openai.com/docs/enterprise/analytics-api; fields as its clients read them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from integrations.connectors.base import Json
from integrations.connectors.drafts import VendorReportDraft, VendorUsageDraft, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.reader import Reader
from integrations.connectors.vendor_days import count, draft_of, money, rows_in, summed
from integrations.enums import VendorContent, VendorLevel
from integrations.model_names import model_name

USAGE_AND_COST, CODEX_USAGE = "usage_and_cost", "codex_usage"
AGENT = "codex"  # as its telemetry names it
LONGEST_NAME = 200


class _Key(NamedTuple):
    level: VendorLevel
    person: Who | None
    name: str
    product: str
    model: str = ""


def normalise_usage_and_cost(payload: Json) -> Sequence[VendorReportDraft]:
    """Tokens of the day by person or key, project and model, and its cost by project and line item, which OpenAI
    reports separately.  Use of Codex's projects counts as an agent's.
    """
    report = Reader(payload)
    emails, of_codex = payload.get("emails") or {}, payload.get("codex_projects") or ()
    rows: dict[_Key, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows_in(report, "usage"):
        rows[_user_of(row, emails)].append(_tokens(row))
    currencies = set()
    for row in rows_in(report, "costs"):
        cost = money(row, "amount.value", cents=False)
        if cost is None:
            raise SchemaError("amount.value", "is missing")
        currencies.add(row.text("amount.currency").strip().upper())
        project, item = row.text("project_id", default=""), row.text("line_item", default="")
        level = VendorLevel.PROJECT if project else VendorLevel.ORGANISATION
        rows[_Key(level, None, project[:LONGEST_NAME], f"{COST_OF}{item}"[:LONGEST_NAME])].append(
            {"cost": cost, "list_cost": cost}
        )
    if len(currencies) > 1:
        raise SchemaError("amount.currency", f"should be one currency and is {' and '.join(sorted(currencies))}")
    currency = min(currencies, default="")
    parts = [_part(key, of_codex, currency, summed(of_key)) for key, of_key in rows.items()]
    return [draft_of(report, USAGE_AND_COST, VendorContent.BILL, parts)]


COST_OF = "cost: "  # a line item, as a product in addition to those of tokens


def normalise_codex_usage(payload: Json) -> Sequence[VendorReportDraft]:
    """Threads, turns, tokens and credits of the day by person and client of Codex."""
    report = Reader(payload)
    rows: dict[_Key, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows_in(report):
        level, who = _person(row)
        clients = list(row.objects("clients"))
        for client in clients:
            product = client.text("client_id", default="")[:LONGEST_NAME] or AGENT
            rows[_Key(level, who, "", product)].append(_of_codex(client))
        rest = {
            "lines_added": count(row, "code_attribution.lines_added"),
            "lines_removed": count(row, "code_attribution.lines_removed"),
        }
        rows[_Key(level, who, "", AGENT)].append(rest if clients else {**rest, **_of_codex(_totals(row))})
    parts = [
        VendorUsageDraft(level=key.level, person=key.person, agent=AGENT, product=key.product, **numbers)
        for key, of_key in rows.items()
        if any((numbers := summed(of_key)).values())
    ]
    return [draft_of(report, CODEX_USAGE, VendorContent.ACTIVITY, parts)]


NORMALISE: Mapping[str, Callable[[Json], Sequence[VendorReportDraft]]] = {
    USAGE_AND_COST: normalise_usage_and_cost,
    CODEX_USAGE: normalise_codex_usage,
}


def _part(key: _Key, of_codex: Collection[str], currency: str, numbers: Mapping[str, Any]) -> VendorUsageDraft:
    project = key.name.partition(" ")[0]
    return VendorUsageDraft(
        level=key.level,
        person=key.person,
        name=key.name,
        agent=AGENT if project in of_codex else "",
        product=key.product,
        model=key.model,
        currency=currency if numbers.get("cost") is not None else "",
        **numbers,
    )


def _user_of(row: Reader, emails: Mapping[str, str]) -> _Key:
    """The member behind a row, or else its key; the name begins with the project."""
    user, key, project = (row.text(name, default="") for name in ("user_id", "api_key_id", "project_id"))
    sent = row.text("model", default="")
    model = model_name(sent) if sent else ""
    if user:
        email = emails.get(user, "")
        who = Who(email=email) if email else Who(account=user)
        return _Key(VendorLevel.PERSON, who, project[:LONGEST_NAME], "api", model)
    level = VendorLevel.KEY if key else VendorLevel.PROJECT if project else VendorLevel.ORGANISATION
    return _Key(level, None, f"{project} {key}".strip()[:LONGEST_NAME], "api", model)


def _tokens(row: Reader) -> Mapping[str, Any]:
    """Token counts of a row; input tokens include the cached ones."""
    sent, cached = count(row, "input_tokens"), count(row, "input_cached_tokens")
    if sent is None:
        raise SchemaError("input_tokens", "is missing")
    if cached is not None and cached > sent:
        raise SchemaError("input_cached_tokens", "should be part of input_tokens and is more")
    return {
        "requests": count(row, "num_model_requests"),
        "input_tokens": sent - (cached or 0),
        "cache_read_tokens": cached,
        "output_tokens": count(row, "output_tokens"),
    }


def _person(row: Reader) -> tuple[VendorLevel, Who | None]:
    email = row.text("actor.email", default="") or row.text("email", default="")
    account = row.text("actor.user_id", default="") or row.text("user_id", default="")
    if not (email or account):
        return VendorLevel.ORGANISATION, None
    return VendorLevel.PERSON, Who(email=email.strip().lower()) if email.strip() else Who(account=account)


def _totals(row: Reader) -> Reader:
    totals = row.object("totals")
    if totals is None:
        raise SchemaError("totals", "is missing")
    return totals


def _of_codex(numbers: Reader) -> Mapping[str, Any]:
    return {
        "sessions": count(numbers, "threads"),
        "requests": count(numbers, "turns"),
        "credits": money(numbers, "credits", cents=False),
        "input_tokens": count(numbers, "uncached_text_input_tokens"),
        "cache_read_tokens": count(numbers, "cached_text_input_tokens"),
        "output_tokens": count(numbers, "text_output_tokens"),
    }
