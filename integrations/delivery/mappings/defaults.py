"""Default mappings of providers' values, used until an admin sets another: plain functions of a value.

Values are compared by their parts, ignoring case: Bug, type: bug and kind/bug are the same.  None means that the value
is not mapped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import TypeVar

from integrations.delivery.mappings.environments import PRODUCTION
from integrations.enums import Ending, FoundBy, Severity, StatusActivity, StatusCategory, WorkType

Meaning = TypeVar("Meaning")

_PARTS = re.compile(r"[^\W_]+", re.UNICODE)

_WORK_TYPES: Mapping[str, WorkType] = {
    **dict.fromkeys(("bug", "bugs", "bugfix", "defect", "regression", "fix", "hotfix"), WorkType.BUG),
    **dict.fromkeys(("feature", "features", "feat", "enhancement", "story", "epic", "improvement"), WorkType.FEATURE),
    **dict.fromkeys(("debt", "techdebt", "refactor", "refactoring", "cleanup"), WorkType.TECH_DEBT),
    **dict.fromkeys(
        ("chore", "ci", "build", "infra", "infrastructure", "operations", "ops", "dependencies", "deps", "maintenance"),
        WorkType.OPERATIONS,
    ),
    **dict.fromkeys(("documentation", "docs", "doc"), WorkType.DOCUMENTATION),
}
# Conventional commits, https://www.conventionalcommits.org/, and branches with the same prefixes.
_CONVENTIONS: Mapping[str, WorkType] = {
    **dict.fromkeys(("feat", "feature", "features"), WorkType.FEATURE),
    **dict.fromkeys(("fix", "bug", "bugfix", "hotfix"), WorkType.BUG),
    **dict.fromkeys(("refactor", "perf", "style", "cleanup"), WorkType.TECH_DEBT),
    **dict.fromkeys(("chore", "ci", "build", "ops", "infra", "deps", "revert", "release"), WorkType.OPERATIONS),
    **dict.fromkeys(("docs", "doc", "documentation"), WorkType.DOCUMENTATION),
    "test": WorkType.OTHER,
    "tests": WorkType.OTHER,
}
_TITLE = re.compile(r"\s*(?P<type>[a-z]+)\s*(?:\([^()]*\))?!?:", re.IGNORECASE)
_BRANCH = re.compile(r"(?P<type>[a-z]+)[/_-]", re.IGNORECASE)

_CATEGORIES: Mapping[str, StatusCategory] = {
    **dict.fromkeys(
        ("done", "closed", "resolved", "completed", "complete", "released", "shipped"), StatusCategory.DONE
    ),
    **dict.fromkeys(
        ("progress", "doing", "review", "started", "active", "testing", "development", "qa", "implementing", "blocked"),
        StatusCategory.IN_PROGRESS,
    ),
    **dict.fromkeys(
        ("todo", "open", "backlog", "new", "triage", "reopened", "ready", "planned", "selected"), StatusCategory.TODO
    ),
}
_SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(("critical", "sev0", "sev1", "p0", "p1", "blocker", "urgent", "emergency", "1"), Severity.CRITICAL),
    **dict.fromkeys(("high", "major", "sev2", "p2", "2"), Severity.HIGH),
    **dict.fromkeys(("medium", "moderate", "sev3", "p3", "normal", "minor", "3"), Severity.MEDIUM),
    **dict.fromkeys(("low", "sev4", "sev5", "p4", "p5", "trivial", "informational", "4", "5"), Severity.LOW),
}
# Statuses in which work has begun but is waiting.
_WAITS = frozenset(
    {
        "waiting",
        "wait",
        "waits",
        "awaiting",
        "awaits",
        "blocked",
        "hold",
        "paused",
        "pending",
        "parked",
        "queue",
        "queued",
    }
)
# Endings without delivery: Jira's and GitHub's resolutions, Azure Boards' Removed, Linear's Canceled; GitLab's moved
# if it stands alone, since work that was moved to production is delivered.
_DROPPED = frozenset(
    {"cancelled", "canceled", "rejected", "declined", "abandoned", "withdrawn", "discarded", "dropped", "removed"}
    | {"wontfix", "wontdo", "duplicate", "duplicated", "invalid", "obsolete", "incomplete"}
)
_DROPPED_PAIRS = frozenset(
    {("won", "t"), ("wont", "fix"), ("wont", "do"), ("not", "planned"), ("not", "needed"), ("not", "required")}
    | {("not", "a"), ("not", "doing"), ("cannot", "reproduce"), ("not", "reproducible"), ("as", "designed")}
)
# A label says who found a defect only if all of its words do: customer-reported, not customer-portal.
_CUSTOMERS = frozenset({"customer", "customers", "client", "clients", "escalation", "escalated", "support", "helpdesk"})
_PRODUCTION_FINDS = frozenset({*PRODUCTION, "escaped", "postrelease"})
_FINDING = frozenset(
    {"found", "reported", "raised", "by", "in", "from", "on", "the", "via", "source", "origin", "env", "environment"}
    | {"bug", "bugs", "defect", "defects", "issue", "issues", "incident", "ticket", "request", "case"}
)


def default_work_type_of_label(label: str) -> WorkType | None:
    return _first(_parts(label), _WORK_TYPES)


def default_work_type_of_item_type(native_type: str) -> WorkType | None:
    """Story → feature, Bug → bug; Task and Issue are not mapped."""
    return _first(_parts(native_type), _WORK_TYPES)


def default_work_type_of_title(title: str, branch: str = "") -> WorkType | None:
    """The work type by the conventions of titles (fix(cart): …) and of branches (feature/…)."""
    for pattern, text in ((_TITLE, title), (_BRANCH, branch)):
        match = pattern.match(text)
        if match and (meant := _CONVENTIONS.get(match["type"].lower())):
            return meant
    return None


def default_status_category(status: str) -> StatusCategory | None:
    """The category of a status; a dropped item is done, unless the word says that work continues."""
    if "to do" in status.lower():
        return StatusCategory.TODO
    category = _first(_parts(status), _CATEGORIES)
    dropped = default_ending(status) is Ending.DROPPED and category is not StatusCategory.IN_PROGRESS
    return StatusCategory.DONE if dropped else category


def default_ending(word: str) -> Ending:
    """Whether a status or resolution means delivered or dropped: Cancelled, Won't do, not_planned, Duplicate and
    moved are dropped.
    """
    parts = _parts(word)
    dropped = not _DROPPED.isdisjoint(parts) or not _DROPPED_PAIRS.isdisjoint(pairwise(parts)) or parts == ["moved"]
    return Ending.DROPPED if dropped else Ending.DELIVERED


def default_activity(status: str) -> StatusActivity:
    """Blocked, On hold, Waiting for customer and Ready for review are waiting; all other statuses are active."""
    parts = _parts(status)
    waits = bool(_WAITS & set(parts)) or parts[:1] == ["ready"] or parts[:2] == ["to", "be"]
    return StatusActivity.WAITING if waits else StatusActivity.ACTIVE


def default_found_by(label: str) -> FoundBy | None:
    """The finder that a label or type names, such as customer-reported, found in production, prod-bug or Support
    ticket.
    """
    parts = set(_parts(label))
    if parts & _CUSTOMERS and parts <= _CUSTOMERS | _PRODUCTION_FINDS | _FINDING:
        return FoundBy.CUSTOMER
    return FoundBy.PRODUCTION if parts & _PRODUCTION_FINDS and parts <= _PRODUCTION_FINDS | _FINDING else None


def default_severity(word: str) -> Severity | None:
    """The severity of a value.  A word takes precedence over a number: 1 - High is high, and 1 alone is critical."""
    return _first(sorted(_parts(word), key=str.isdigit), _SEVERITIES)


def _parts(text: str) -> list[str]:
    return [part.lower() for part in _PARTS.findall(text)]


def _first(parts: list[str], meanings: Mapping[str, Meaning]) -> Meaning | None:
    return next((meanings[part] for part in parts if part in meanings), None)
