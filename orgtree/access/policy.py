"""The rules of who sees what: one service changes them, the database keeps their history.  docs/access.md

Every change is announced: programs/reminders notifies each account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from core.authorship import account_of, changes_by
from core.hooks import Hook
from core.write_errors import FieldError
from orgtree.access.who_sees import names_of
from orgtree.models import Organisation
from orgtree.models.organisation import POLICY_FIELDS, IndividualPolicy, MembersSee

NOTHING_CHANGED = "These rules are in force already."
NO_PHILOSOPHY = "Publish the measurement philosophy first: it says what the figures of a person are for."
LABELS = {
    "individual_policy": "Individual data",
    "minimum_group_size": "Minimum group",
    "members_see": "Members see totals of",
    "leaderboard": "Leaderboard",
}


@dataclass(frozen=True)
class Philosophy:
    """The published measurement philosophy, for the page of the rules; it has none until `published_at` is set."""

    version: int
    published_at: datetime | None
    readers: int
    accounts: int
    url: str


@dataclass(frozen=True)
class RuleChange:
    """One rule in words, before and after."""

    label: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.label}: {self.before} → {self.after}"


@dataclass(frozen=True)
class PolicyChange:
    """Rules that one account changed together; `by` is empty if Headway changed them."""

    at: datetime
    by: str
    changes: Sequence[RuleChange]


# Registered by the app that keeps the philosophy.
philosophies: Hook[Callable[[], Philosophy]] = Hook()


def current_philosophy() -> Philosophy | None:
    return next((find() for find in philosophies), None)


def rules_of(record: Any) -> Mapping[str, Any]:
    """The rules of the organisation, or of an event of its history."""
    return {field: getattr(record, field) for field in POLICY_FIELDS}


def rule_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[RuleChange]:
    return [
        RuleChange(LABELS[field], _words(field, before[field]), _words(field, after[field]))
        for field in POLICY_FIELDS
        if before[field] != after[field]
    ]


def change_policy(rules: Mapping[str, Any], *, by: User) -> list[RuleChange]:
    """Put the rules in force.  Raises FieldError if nothing changes, or if the leaderboard may not be switched
    on yet.
    """
    with transaction.atomic(), changes_by(by):
        organisation = Organisation.objects.select_for_update().get(pk=Organisation.current().pk)
        changes = rule_changes(rules_of(organisation), rules)
        if not changes:
            raise FieldError("", NOTHING_CHANGED)
        philosophy = current_philosophy()
        if rules["leaderboard"] and (philosophy is None or philosophy.published_at is None):
            raise FieldError("leaderboard", NO_PHILOSOPHY)
        for field in POLICY_FIELDS:
            setattr(organisation, field, rules[field])
        organisation.rules_decided_at = timezone.now()
        organisation.save(update_fields=[*POLICY_FIELDS, "rules_decided_at"])
    return changes


def keep_policy() -> None:
    """Record that an admin reviewed the rules in force and keeps them."""
    Organisation.objects.filter(pk=Organisation.current().pk).update(rules_decided_at=timezone.now())


def changes_of_event(event: Any) -> list[RuleChange]:
    """The changes that an event of the history made, against the one before it."""
    before = type(event).objects.filter(pgh_id__lt=event.pgh_id).order_by("-pgh_id").first()
    return rule_changes(rules_of(before), rules_of(event)) if before else []


def policy_history() -> list[PolicyChange]:
    """All changes, the newest first."""
    events = list(
        apps.get_model("orgtree", "PolicyEvent")._default_manager.select_related("pgh_context").order_by("pgh_id")
    )
    accounts = User.objects.in_bulk({pk for event in events if (pk := account_of(event)) is not None})
    names = names_of(list(accounts.values()))
    return [
        PolicyChange(after.pgh_created_at, names[pk] if (pk := account_of(after)) else "", changes)
        for before, after in pairwise(events)
        if (changes := rule_changes(rules_of(before), rules_of(after)))
    ][::-1]


def _words(field: str, value: Any) -> str:
    match field:
        case "individual_policy":
            return str(IndividualPolicy(value).label).lower()
        case "members_see":
            return str(MembersSee(value).label).lower()
        case "leaderboard":
            return "on" if value else "off"
    return str(value)
