"""Creates drafts of business reviews and writes their sections.

Whoever answers for the unit writes: its managers, executives and admins.  The history (django-pghistory) records each
change with its account.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import User
from django.utils import timezone

from core.authorship import changes_by
from insights.query import windows
from insights.query.query import Granularity, Window
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.models import Qbr, QbrPeriod, QbrSection
from programs.models.qbr import LONGEST_HEADLINE, MOST_ADDED_METRICS
from programs.qbr.services.sections import addable_metrics, available_sections
from programs.quarters.fiscal_quarters import quarter_of

LONGEST_COMMENTARY = 20_000  # characters
ONLY_LEADERS = "A business review is written by the managers of its unit, by executives and by admins."
IS_FROZEN = "This review is frozen: its figures and texts do not change any more."


class QbrError(Exception):
    """What cannot be stored; `field` names the input to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class MayNotWriteQbrError(Exception):
    """The viewer does not answer for the unit."""


class QbrExistsError(QbrError):
    """There is one of that unit and period: `qbr`."""

    def __init__(self, qbr: Qbr) -> None:
        super().__init__("day", f"There is one already: {qbr}.")
        self.qbr = qbr


class SectionConflictError(Exception):
    """Somebody else saved the section first; `stored` is what it says now."""

    def __init__(self, stored: QbrSection) -> None:
        super().__init__("Somebody changed this section in the meantime.")
        self.stored = stored


class ArrangementConflictError(Exception):
    """Somebody else arranged the sections first; `stored` is the review as it is now."""

    def __init__(self, stored: Qbr) -> None:
        super().__init__("Somebody arranged the sections in the meantime.")
        self.stored = stored


@dataclass(frozen=True)
class SectionDraft:
    headline: str = ""
    commentary: str = ""
    metrics: tuple[str, ...] = ()


def may_write(access: Access, qbr: Qbr) -> bool:
    return isinstance(access.viewer, User) and access.visibility.leads(qbr.unit_id)


def create_qbr(access: Access, unit: Unit | None, period: QbrPeriod, day: date) -> Qbr:
    """A draft of the month or fiscal quarter of that day, with all sections.

    Raises QbrError, QbrExistsError, MayNotWriteQbrError.
    """
    account = account_of(access)
    if not access.visibility.leads(unit.pk if unit else None):
        raise MayNotWriteQbrError(ONLY_LEADERS)
    window = _window_of(period, day)
    if window.start > windows.local_today():
        raise QbrError("day", f"{wording.day(window.start)} has not come yet: there are no figures to review.")
    with changes_by(account):
        qbr, created = Qbr.objects.get_or_create(
            unit=unit, period=period, start=window.start, defaults={"end": window.end, "written_by": account}
        )
        if not created:
            raise QbrExistsError(qbr)
        QbrSection.objects.bulk_create(
            QbrSection(qbr=qbr, key=section.key, position=position)
            for position, section in enumerate(available_sections())
        )
    return qbr


def write_section(access: Access, qbr: Qbr, key: str, draft: SectionDraft, *, of_version: int) -> QbrSection:
    """The same text again is no change.  Raises QbrError, MayNotWriteQbrError, SectionConflictError."""
    with writing(access, qbr) as (stored, account):
        checked = _checked(draft)
        section = stored.sections.select_for_update().filter(key=key).first()
        if section is None:
            raise QbrError("section", f"One of: {', '.join(stored.sections.values_list('key', flat=True))}.")
        says = SectionDraft(section.headline, section.commentary, tuple(section.metrics))
        if says == checked:
            return section
        if section.version != of_version:
            raise SectionConflictError(section)
        section.headline, section.commentary, section.metrics = checked.headline, checked.commentary, [*checked.metrics]
        section.edited_by, section.edited_at = account, timezone.now()
        section.version += 1
        section.save()
        return section


def arrange_sections(
    access: Access, qbr: Qbr, order: Sequence[str], included: Collection[str], *, of_version: int
) -> Qbr:
    """Sections in this order, and which of them are shown.  Sections that are not named keep their place at the end.

    Raises QbrError, MayNotWriteQbrError, ArrangementConflictError.
    """
    with writing(access, qbr) as (stored, _):
        sections = {section.key: section for section in stored.sections.order_by("position")}
        for key in (*order, *included):
            if key not in sections:
                raise QbrError("order", f"There is no section {key[:40]!r}. One of: {', '.join(sections)}.")
        if not included:
            raise QbrError("included", "A review has at least one section.")
        if stored.version != of_version:
            raise ArrangementConflictError(stored)
        keys = dict.fromkeys((*order, *sections))
        for position, key in enumerate(keys):
            sections[key].position, sections[key].is_included = position, key in included
        QbrSection.objects.bulk_update(sections.values(), ["position", "is_included"])
        stored.version += 1
        stored.save(update_fields=["version"])
    return stored


def discard_qbr(access: Access, qbr: Qbr) -> None:
    """Delete a draft.  Raises QbrError for a frozen one, MayNotWriteQbrError."""
    with writing(access, qbr) as (stored, _):
        stored.delete()


@contextmanager
def writing(access: Access, qbr: Qbr) -> Iterator[tuple[Qbr, User]]:
    """The draft, locked, and who writes.  Raises QbrError where it is frozen, MayNotWriteQbrError."""
    account = account_of(access)
    if not may_write(access, qbr):
        raise MayNotWriteQbrError(ONLY_LEADERS)
    with changes_by(account):
        stored = Qbr.objects.select_for_update().get(pk=qbr.pk)
        if stored.is_frozen:
            raise QbrError("state", IS_FROZEN)
        yield stored, account


def account_of(access: Access) -> User:
    if not isinstance(access.viewer, User):
        raise MayNotWriteQbrError("Sign in with an account: a token without an account writes no reviews.")
    return access.viewer


def _window_of(period: QbrPeriod, day: date) -> Window:
    return quarter_of(day).window if period == QbrPeriod.QUARTER else windows.whole_bucket(day, Granularity.MONTH)


def _checked(draft: SectionDraft) -> SectionDraft:
    headline = " ".join(draft.headline.split())
    commentary = draft.commentary.replace("\r\n", "\n").strip()
    for field, text, most in (
        ("headline", headline, LONGEST_HEADLINE),
        ("commentary", commentary, LONGEST_COMMENTARY),
    ):
        if len(text) > most or "\x00" in text:
            raise QbrError(field, f"At most {most:,} characters, and no NUL.")
    known = addable_metrics()
    for key in draft.metrics:
        if key not in known:
            raise QbrError("metrics", f"There is no metric {key[:80]!r} to show here.")
    metrics = tuple(dict.fromkeys(draft.metrics))
    if len(metrics) > MOST_ADDED_METRICS:
        raise QbrError("metrics", f"At most {MOST_ADDED_METRICS} more metrics: a row of figures has to stay readable.")
    return SectionDraft(headline, commentary, metrics)
