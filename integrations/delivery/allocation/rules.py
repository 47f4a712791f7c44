"""Allocation rules as the measuring statement reads them."""

from __future__ import annotations

from typing import Any

from integrations.models import AllocationRule
from integrations.models.allocation import TERMS

PATTERNS = ("repositories", "paths")


def stored_rules() -> list[dict[str, Any]]:
    """All rules, for the statement that assigns work to categories."""
    return [rule_document(rule) for rule in AllocationRule.objects.all()]


def rule_document(rule: AllocationRule) -> dict[str, Any]:
    """The rule in small letters, its repositories and folders as patterns of LIKE; a new rule has the id 0."""
    terms = {
        name: [_pattern(name, value) if name in PATTERNS else value.lower() for value in getattr(rule, name)]
        for name in TERMS
    }
    return {
        "id": rule.pk or 0,
        "category_id": rule.category_id,
        "unit_id": rule.unit_id,
        "rank": rule.rank,
        "is_last": rule.matches_everything,
        **terms,
    }


def _pattern(name: str, value: str) -> str:
    escaped = value.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    return f"{escaped.strip('/')}/%" if name == "paths" else escaped
