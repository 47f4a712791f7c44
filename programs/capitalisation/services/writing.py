"""Writes initiatives' evidence and capitalisation periods, and approves and freezes periods.

Finance, executives and admins write; executives and admins approve.  The history (django-pghistory) records each change
with its account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from core.api.model_serializers import NEEDED, Choice, Text, WriteSerializer, validated
from core.authorship import changes_by
from core.edit_conflicts import take_fields
from core.json_documents import canonical
from core.locks import Lock
from core.write_errors import FieldError, MayNotWriteError
from insights.query.windows import local_today
from insights.ui import wording
from integrations.delivery.allocation.initiative_time import (
    InitiativeKey,
    initiative_key,
    names_of_initiatives,
    weeks_in_arrears,
)
from integrations.delivery.records.initiatives import InitiativeKind
from orgtree.access.access import Access
from programs.budgets.queries.months import FIRST_YEAR, month_of
from programs.budgets.services.fields import MonthField
from programs.capitalisation.queries import EVIDENCE, FINANCE_ONLY
from programs.capitalisation.services.document import FrozenPeriod
from programs.capitalisation.services.reporting import live_report
from programs.closing.services.frozen import freeze
from programs.models import CapitalisationPeriod, FrozenDocument, InitiativeEvidence, PeriodState, Uncertainty
from programs.models.capitalisation import KINDS
from programs.requests.visible import account_of

APPROVERS_ONLY = "Executives and admins approve a period."
IS_FROZEN = "This period is frozen: its figures are final, and what changes later shows as restated."
CHANGED = "Somebody changed this in the meantime."
CHANGED_SINCE_APPROVAL = "Figures, evidence or rules changed since it was approved. Approve it again."
PERIODS = Lock("writing of capitalisation periods")  # so that no two periods share a month
DATES = ("authorised_on", "funded_on", "probable_since", "uncertainty_resolved_on", "ready_on")
TERMS = ("standard", "hours_a_day", "currency", "hourly_rate", "dollar_rate")
HOW_TO_NAME = {
    InitiativeKind.EPIC: "There is no epic with this key, or several trackers have one.",
    InitiativeKind.VERSION: "There is no such version. Write its project and name, such as SHOP: 2.0.",
    InitiativeKind.LABEL: "No work item has this label.",
    InitiativeKind.PROJECT: "There is no project of this key or name, or there are several.",
}


class EvidenceWriteSerializer(WriteSerializer[InitiativeEvidence]):
    class Meta:
        model = InitiativeEvidence
        fields: tuple[str, ...] = EVIDENCE

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        draft = copy(self.instance) if isinstance(self.instance, InitiativeEvidence) else InitiativeEvidence()
        for name, value in attrs.items():
            setattr(draft, name, value)
        _check_evidence(draft)
        return attrs


class EvidenceAddSerializer(EvidenceWriteSerializer):
    """Create: kind and initiative are required."""

    kind = Choice(choices=KINDS, error_messages={"required": NEEDED})
    initiative = Text(
        error_messages={"required": NEEDED},
        max_length=400,
        help_text="An epic's key, a label, a project's key or name, or a version as `project: version`.",
    )

    class Meta(EvidenceWriteSerializer.Meta):
        fields: tuple[str, ...] = ("kind", "initiative", *EVIDENCE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind, word = InitiativeKind(attrs["kind"]), attrs.pop("initiative")
        key = initiative_key(kind, word)
        if not key:
            raise FieldError("initiative", HOW_TO_NAME[kind])
        if InitiativeEvidence.objects.filter(kind=kind, key=key).exists():
            raise FieldError("initiative", "It is in the list already: change it there.")
        name = names_of_initiatives([InitiativeKey(1, kind, key)])[1].name[:300]
        return {**super().validate(attrs), "key": key, "name": name}


class PeriodWriteSerializer(WriteSerializer[CapitalisationPeriod]):
    """Create: first_month and last_month are required.  Update: omitted fields keep their value."""

    first_month = MonthField(help_text="Such as 2026-10.")
    last_month = MonthField(help_text="Such as 2026-12; the same as the first for one month.")

    class Meta:
        model = CapitalisationPeriod
        fields: tuple[str, ...] = ("first_month", "last_month", *TERMS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        stored = self.instance if isinstance(self.instance, CapitalisationPeriod) else None
        first = attrs.pop("first_month", stored.start if stored else None)
        last = attrs.pop("last_month", stored.last_month if stored else None)
        if last < first:
            raise FieldError("last_month", "It ends before it begins.")
        if month_of(last).end > first.replace(year=first.year + 1):
            raise FieldError("last_month", "A period has at most twelve months.")
        draft = copy(stored) if stored else CapitalisationPeriod()
        for name, value in attrs.items():
            setattr(draft, name, value)
        attrs["currency"] = draft.currency = draft.currency.strip().upper()
        if draft.currency and not re.fullmatch("[A-Z]{3}", draft.currency):
            raise FieldError("currency", "It has three letters, such as EUR.")
        if draft.currency and draft.hourly_rate is None:
            raise FieldError("hourly_rate", "Enter what an hour costs, or leave the currency empty.")
        if not draft.currency and (draft.hourly_rate is not None or draft.dollar_rate is not None):
            raise FieldError("currency", "Enter the currency of the rates.")
        return {**attrs, "start": first, "end": month_of(last).end}


def check_may_write(access: Access) -> None:
    account_of(access)
    if not access.visibility.reads_capitalisation:
        raise MayNotWriteError(FINANCE_ONLY)


def add_evidence(access: Access, given: Mapping[str, Any]) -> InitiativeEvidence:
    """Adds evidence; `given` has the fields of the API.  Raises FieldError, MayNotWriteError."""
    check_may_write(access)
    account = account_of(access)
    with changes_by(account):
        PERIODS.hold()
        fields = validated(EvidenceAddSerializer(data=given))
        return InitiativeEvidence.objects.create(**fields, written_by=account)


def change_evidence(
    access: Access, evidence: InitiativeEvidence, given: Mapping[str, Any], *, of_version: int
) -> InitiativeEvidence:
    """Change evidence.  Raises FieldError, MayNotWriteError, and ConflictError if it changed since `of_version`."""
    check_may_write(access)
    with changes_by(account_of(access)):
        stored = InitiativeEvidence.objects.select_for_update().get(pk=evidence.pk)
        fields = validated(EvidenceWriteSerializer(stored, data=given, partial=True))
        if take_fields(stored, fields, of_version, CHANGED):
            stored.save()
    return stored


def remove_evidence(access: Access, evidence: InitiativeEvidence) -> None:
    """Deletes evidence; frozen periods keep their copy."""
    check_may_write(access)
    with changes_by(account_of(access)):
        InitiativeEvidence.objects.filter(pk=evidence.pk).delete()


def add_period(access: Access, given: Mapping[str, Any]) -> CapitalisationPeriod:
    """Add a period.  Raises FieldError, MayNotWriteError."""
    check_may_write(access)
    account = account_of(access)
    with changes_by(account):
        PERIODS.hold()
        period = CapitalisationPeriod(**validated(PeriodWriteSerializer(data=given)), written_by=account)
        _check_alone(period)
        period.save()
    return period


def change_period(
    access: Access, period: CapitalisationPeriod, given: Mapping[str, Any], *, of_version: int
) -> CapitalisationPeriod:
    """Changes a period; an approved one becomes a draft.  Raises as `change_evidence`, and FieldError for a
    frozen one.
    """
    check_may_write(access)
    with changes_by(account_of(access)):
        PERIODS.hold()
        stored = _locked(period)
        fields = validated(PeriodWriteSerializer(stored, data=given, partial=True))
        if take_fields(stored, fields, of_version, CHANGED):
            _check_alone(stored)
            _withdraw_approval(stored)
            stored.save()
    return stored


def remove_period(access: Access, period: CapitalisationPeriod) -> None:
    """Delete a period that is not frozen.  Raises FieldError, MayNotWriteError."""
    check_may_write(access)
    with changes_by(account_of(access)):
        _locked(period).delete()


def approve_period(access: Access, period: CapitalisationPeriod) -> CapitalisationPeriod:
    """Approves the current figures.

    Raises FieldError for a period that is not over, is frozen, or whose figures are still being computed;
    MayNotWriteError.
    """
    account = account_of(access)
    if not access.visibility.leads_whole:
        raise MayNotWriteError(APPROVERS_ONLY)
    with changes_by(account):
        stored = _locked(period)
        _check_settled(stored)
        stored.approved_sha256 = canonical(live_report(stored))[1]
        stored.state, stored.approved_at, stored.approved_by = PeriodState.APPROVED, timezone.now(), account
        stored.save()
    return stored


def freeze_period(access: Access, period: CapitalisationPeriod, *, at: datetime | None = None) -> FrozenDocument:
    """Freezes the approved figures, with evidence, rates and rules.

    Idempotent: freezing a frozen period returns its document.  Raises FieldError if the period is not approved, its
    figures are still being computed, or they have changed since the approval; MayNotWriteError.
    """
    check_may_write(access)
    account, now = account_of(access), at or timezone.now()
    with changes_by(account):
        stored = CapitalisationPeriod.objects.select_for_update(of=("self",)).get(pk=period.pk)
        if stored.document is not None:
            return stored.document
        if stored.approved_at is None:
            raise FieldError("state", f"Approve it first. {APPROVERS_ONLY}")
        _check_settled(stored)
        report = live_report(stored)
        if canonical(report)[1] != stored.approved_sha256:
            raise FieldError("state", CHANGED_SINCE_APPROVAL)
        document = freeze(
            FrozenPeriod(
                schema=FrozenPeriod.schema_versions[-1],
                report=report,
                approved_at=stored.approved_at,
                approved_by=stored.approved_by_id,
                frozen_at=now,
                frozen_by=account.pk,
            ),
            by=account,
            at=now,
        )
        stored.document, stored.state = document, PeriodState.FROZEN
        stored.save(update_fields=["document", "state"])
    return document


def reasons_to_wait(period: CapitalisationPeriod) -> list[str]:
    """The reasons against approving or freezing the figures; locks the period's weeks for the caller's transaction."""
    if period.end > local_today():
        return [f"{period} is not over yet."]
    weeks = weeks_in_arrears(period.start, period.end)
    if weeks:
        counted = wording.count(weeks, "week")
        return [f"New records arrived: the time of {counted} is being derived. Try again in a minute."]
    return []


def _check_settled(period: CapitalisationPeriod) -> None:
    if reasons := reasons_to_wait(period):
        raise FieldError("state", reasons[0])


def _locked(period: CapitalisationPeriod) -> CapitalisationPeriod:
    """The period, locked in this transaction.  Raises FieldError if it is frozen."""
    stored = CapitalisationPeriod.objects.select_for_update(of=("self",)).get(pk=period.pk)
    if stored.is_frozen:
        raise FieldError("state", IS_FROZEN)
    return stored


def _withdraw_approval(period: CapitalisationPeriod) -> None:
    period.state, period.approved_at, period.approved_by, period.approved_sha256 = PeriodState.DRAFT, None, None, ""


def _check_alone(period: CapitalisationPeriod) -> None:
    """Rejects a period that overlaps another one.  Raises FieldError."""
    others = CapitalisationPeriod.objects.filter(start__lt=period.end, end__gt=period.start).exclude(pk=period.pk)
    if other := others.first():
        raise FieldError("first_month", f"There is a period with one of these months: {other}.")


def _check_evidence(draft: InitiativeEvidence) -> None:
    """Rejects dates out of range, judgements without a reason, and contradictions.  Raises FieldError."""
    today = local_today()
    for name in DATES:
        day: date | None = getattr(draft, name)
        if day is not None and day.year < FIRST_YEAR:
            raise FieldError(name, "It is before the year 2000.")
        if day is not None and day > today:
            raise FieldError(name, "It is in the future: enter it when it has happened.")
    for name, words in (("probable_by", "Say who judged so."), ("probable_because", "Say what it rests on.")):
        if draft.probable_since is not None and not getattr(draft, name).strip():
            raise FieldError(name, words)
    if draft.uncertainty == Uncertainty.RESOLVED and draft.uncertainty_resolved_on is None:
        raise FieldError("uncertainty_resolved_on", "Say when it was resolved.")
    if draft.uncertainty != Uncertainty.RESOLVED and draft.uncertainty_resolved_on is not None:
        raise FieldError("uncertainty", "It has a day on which it was resolved: choose Resolved.")
    began = [day for day in (draft.authorised_on, draft.funded_on) if day is not None]
    if draft.ready_on is not None and any(day > draft.ready_on for day in began):
        raise FieldError("ready_on", "It was ready before it was authorised and funded.")
