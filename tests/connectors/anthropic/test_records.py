"""Anthropic's reports as documented → drafts.

Rows of usage and cost: platform.claude.com/docs/en/api/beta/organization/analytics/cost (`group`, `cost.amount`,
`cost.list_amount`: fractional cents as text) and …/analytics (actors).  Records of Claude Code:
platform.claude.com/docs/en/manage-claude/claude-code-analytics-api.  Users of Claude Enterprise:
support.claude.com/en/articles/13703965.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from integrations.connectors.anthropic.records import (
    normalise_claude_code,
    normalise_engagement,
    normalise_usage_and_cost,
)
from integrations.connectors.drafts import ProvidedParts, VendorReportDraft, VendorUsageDraft, Who
from integrations.connectors.errors import SchemaError
from integrations.enums import VendorContent, VendorLevel

BUCKET = {"starting_at": "2026-03-02T00:00:00Z", "ending_at": "2026-03-03T00:00:00Z"}
ADA = {"type": "user_actor", "user_id": "user_01", "email_address": "Ada@example.com", "name": "Ada", "deleted": False}
GROUP = {"actor": ADA, "actor_type": None, "model": "claude-sonnet-4-5-20250929", "product": "claude_code"}
USAGE = {
    "uncached_input_tokens": 1000,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
    "cache_read_input_tokens": 7000,
    "output_tokens": 500,
    "requests": 4,
    "server_tool_use": {"web_search_requests": 0},
    "total_tokens": 8550,
}
COST = {"amount": "123.45", "list_amount": "130", "currency": "USD", "requests": 4}


def payload(*, usage: dict[str, Any] | None = None, cost: dict[str, Any] | None = None, **group: Any) -> dict[str, Any]:
    of = GROUP | group
    return {
        "day": "2026-03-02",
        "usage": [{**BUCKET, "group": of, "usage": USAGE if usage is None else usage}],
        "costs": [{**BUCKET, "group": of, "cost": COST if cost is None else cost}],
    }


def parts_of(reports: Any) -> list[VendorUsageDraft]:
    (report,) = reports
    assert isinstance(report, VendorReportDraft)
    assert isinstance(report.usage, ProvidedParts)
    assert report.usage.whole
    return list(report.usage.parts)


def test_usage_and_cost_of_one_group_are_one_row() -> None:
    (report,) = normalise_usage_and_cost(payload())
    assert (report.external_id, report.content, report.day) == (
        "usage_and_cost:2026-03-02",
        VendorContent.BILL,
        date(2026, 3, 2),
    )
    assert parts_of([report]) == [
        VendorUsageDraft(
            level=VendorLevel.PERSON,
            person=Who(email="ada@example.com"),
            agent="claude_code",
            product="claude_code",
            model="claude-sonnet-4-5",
            requests=4,
            input_tokens=1000,
            cache_read_tokens=7000,
            cache_write_tokens=50,
            output_tokens=500,
            cost=Decimal("1.2345"),
            list_cost=Decimal("1.3"),
            currency="USD",
        )
    ]


def test_another_product_is_no_agent() -> None:
    (part,) = parts_of(normalise_usage_and_cost(payload(product="chat")))
    assert (part.agent, part.product) == ("", "chat")


@pytest.mark.parametrize(
    ("actor", "level", "person", "name"),
    [
        (ADA | {"email_address": None, "deleted": True}, VendorLevel.PERSON, Who(account="user_01"), ""),
        ({"type": "service_account_actor", "service_account_id": "svac_1"}, VendorLevel.KEY, None, "svac_1"),
        ({"type": "api_actor", "api_key_id": "apikey_1"}, VendorLevel.KEY, None, "apikey_1"),
        ({"type": "something_new"}, VendorLevel.KEY, None, "something_new"),
        (None, VendorLevel.ORGANISATION, None, ""),
    ],
)
def test_whose_use_it_was(actor: Any, level: VendorLevel, person: Who | None, name: str) -> None:
    (part,) = parts_of(normalise_usage_and_cost(payload(actor=actor)))
    assert (part.level, part.person, part.name) == (level, person, name)


def test_two_accounts_of_one_address_are_added_up() -> None:
    report = payload()
    other = deepcopy(report["usage"][0])
    other["group"]["actor"]["user_id"], other["group"]["actor"]["email_address"] = "user_02", " Ada@example.com"
    report["usage"].append(other)
    (part,) = parts_of(normalise_usage_and_cost(report))
    assert (part.input_tokens, part.requests, part.cost) == (2000, 8, Decimal("1.2345"))


def test_a_currency_is_a_code_however_it_is_written() -> None:
    (part,) = parts_of(normalise_usage_and_cost(payload(cost={"amount": 12.5, "currency": "usd"})))
    assert part.currency == "USD"


def test_a_cost_without_a_list_price_has_no_discount() -> None:
    (part,) = parts_of(normalise_usage_and_cost(payload(cost={"amount": 12.5, "currency": "USD"})))
    assert (part.cost, part.list_cost) == (Decimal("0.125"), Decimal("0.125"))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"usage": USAGE | {"output_tokens": -1}}, "output_tokens"),
        ({"usage": USAGE | {"output_tokens": "500"}}, "output_tokens"),
        ({"usage": USAGE | {"output_tokens": 2**60}}, "output_tokens"),
        ({"cost": COST | {"amount": "a lot"}}, "cost.amount"),
        ({"cost": COST | {"amount": "NaN"}}, "cost.amount"),
        ({"cost": {"list_amount": "130"}}, "cost.amount"),
    ],
)
def test_a_row_that_is_not_as_documented_spoils_its_day(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(SchemaError, match=named):
        normalise_usage_and_cost(payload(**changed))


@pytest.mark.parametrize("missing", ["starting_at", "group", "usage"])
def test_a_renamed_field_is_named(missing: str) -> None:
    report = payload()
    del report["usage"][0][missing]
    with pytest.raises(SchemaError, match=missing):
        normalise_usage_and_cost(report)


def test_a_list_that_is_none_is_no_empty_day() -> None:
    with pytest.raises(SchemaError, match="costs"):
        normalise_usage_and_cost({"day": "2026-03-02", "usage": [], "costs": None})


def test_tokens_beyond_an_integer_column_are_read() -> None:
    (part,) = parts_of(normalise_usage_and_cost(payload(usage=USAGE | {"cache_read_input_tokens": 9 * 10**12})))
    assert part.cache_read_tokens == 9 * 10**12


def claude_code_record(**changed: Any) -> dict[str, Any]:
    return {
        "date": "2026-03-02",
        "actor": {"type": "user_actor", "email_address": "ada@example.com"},
        "organization_id": "0b5b9c5e-1c8c-4f7a-9d1e-6f7f7d6f3c11",
        "customer_type": "api",
        "terminal_type": "vscode",
        "core_metrics": {
            "num_sessions": 5,
            "lines_of_code": {"added": 1543, "removed": 892},
            "commits_by_claude_code": 12,
            "pull_requests_by_claude_code": 2,
        },
        "tool_actions": {
            "edit_tool": {"accepted": 45, "rejected": 5},
            "write_tool": {"accepted": 8, "rejected": 1},
        },
        "model_breakdown": [
            {
                "model": "claude-sonnet-4-5",
                "tokens": {"input": 100, "output": 35, "cache_read": 10, "cache_creation": 5},
                "estimated_cost": {"amount": 1025, "currency": "USD"},
            }
        ],
        **changed,
    }


def test_claude_code_of_two_terminals_is_one_person_s() -> None:
    records = [claude_code_record(), claude_code_record(terminal_type="tmux", model_breakdown=[])]
    whole, by_model = parts_of(normalise_claude_code({"day": "2026-03-02", "records": records}))
    assert (whole.sessions, whole.lines_added, whole.lines_removed) == (10, 3086, 1784)
    assert (whole.acceptances, whole.suggestions, whole.cost, whole.currency) == (106, 118, None, "")
    assert (by_model.model, by_model.input_tokens, by_model.sessions) == ("claude-sonnet-4-5", 100, None)
    assert (by_model.list_cost, by_model.cost, by_model.currency) == (Decimal("10.25"), None, "USD")


def test_of_claude_enterprise_only_claude_code_is_stored() -> None:
    core = {"distinct_session_count": 3, "lines_of_code": {"added_count": 20, "removed_count": 4}}
    edits = {"edit_tool": {"accepted_count": 6, "rejected_count": 2}}
    users = [
        {
            "user": {"id": "user_1", "email_address": "ada@example.com"},
            "chat_metrics": {"message_count": 40},
            "claude_code_metrics": {"core_metrics": core, "tool_actions": edits},
        },
        {"user": {"id": "user_2", "email_address": "ben@example.com"}, "chat_metrics": {"message_count": 9}},
    ]
    (part,) = parts_of(normalise_engagement({"day": "2026-03-02", "records": users}))
    assert (part.person, part.sessions, part.lines_added) == (Who(email="ada@example.com"), 3, 20)
    assert (part.acceptances, part.suggestions) == (6, 8)


# The commonest complaints about other tools' connectors ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "dollars"), [("53170.000000", "531.7"), ("0.4", "0.004"), ("98.765432101", "0.98765432101")]
)
def test_cost_is_in_cents_and_no_digit_is_lost(amount: str, dollars: str) -> None:
    """anthropics/claude-code 51198 and langwatch/langwatch 6977: every figure a hundred times too high."""
    (part,) = parts_of(normalise_usage_and_cost(payload(cost=COST | {"amount": amount})))
    assert part.cost == Decimal(dollars)


def test_tokens_written_to_the_cache_are_counted_in_whichever_row_they_are() -> None:
    """langwatch/langwatch 7287: read as zero, for they are nested; and one of two rows of a group was lost."""
    report = payload()
    other = deepcopy(report["usage"][0])
    other["usage"]["cache_creation"] = {"ephemeral_1h_input_tokens": 7}
    report["usage"].append(other)
    (part,) = parts_of(normalise_usage_and_cost(report))
    assert (part.cache_write_tokens, part.cache_read_tokens, part.output_tokens) == (57, 14000, 1000)


def test_people_with_a_subscription_count_as_those_with_an_api_key_do() -> None:
    """anthropics/claude-code 9700, 20819 and 27780: of subscriptions nothing was reported or read."""
    subscribed = claude_code_record(customer_type="subscription", subscription_type="team")
    assert parts_of(normalise_claude_code({"day": "2026-03-02", "records": [subscribed]})) == parts_of(
        normalise_claude_code({"day": "2026-03-02", "records": [claude_code_record()]})
    )
