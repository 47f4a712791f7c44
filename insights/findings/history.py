"""The history of a finding: when it was found, and each decision on it with its account and reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User

from core.authorship import account_of
from insights.models import Finding
from insights.models.findings import FindingState, Verdict
from orgtree.access.who_sees import names_of

FOUND, REOPENED = "Found", "Reopened"
BY_NIGHT = "Headway"


@dataclass(frozen=True)
class FindingChange:
    """One change of a finding's state or verdict; `by` is empty for a deleted account."""

    at: datetime
    by: str
    automatic: bool
    what: str
    state: str
    verdict: str
    reason: str


def history_of(finding: Finding) -> Sequence[FindingChange]:
    """All changes, the latest first; two queries and those for names."""
    model: Any = apps.get_model("insights", "FindingEvent")
    events = [*model._default_manager.filter(pgh_obj=finding.pk).select_related("pgh_context").order_by("pgh_id")]
    accounts = {account for account in map(account_of, events) if account is not None}
    names = names_of([*User.objects.filter(pk__in=accounts)])
    return [*_changes(events, names)][::-1]


def _changes(events: Sequence[Any], names: Any) -> Iterator[FindingChange]:
    for before, event in pairwise([None, *events]):
        account = account_of(event)
        yield FindingChange(
            at=event.pgh_created_at,
            by=BY_NIGHT if account is None else names.get(account, ""),
            automatic=account is None,
            what=_what(before, event),
            state=event.state,
            verdict=event.verdict,
            reason=event.reason if before is None or before.reason != event.reason else "",
        )


def _what(before: Any, event: Any) -> str:
    if before is None:
        return FOUND if event.pgh_label == "found" else FindingState(event.state).label
    if before.state == FindingState.DISMISSED != event.state:
        return REOPENED
    verdict = Verdict(event.verdict).label if event.verdict and before.verdict != event.verdict else ""
    state = FindingState(event.state).label if before.state != event.state else ""
    return ", ".join(filter(None, [verdict, state.lower() if verdict else state])) or "Another reason"
