"""Creates drafts of business reviews and writes their sections.

Those who answer for the unit write: its managers, executives and admins.  The history (django-pghistory) records each
change with its account.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from core.api.model_serializers import validated
from core.authorship import changes_by
from core.edit_conflicts import take_fields
from core.write_errors import ConflictError, FieldError, MayNotWriteError
from insights.query import windows
from insights.query.parameters import EARLIEST, LATEST
from insights.query.query import Granularity, Window
from insights.ui import wording
from orgtree.access.access import Access
from programs.models import Qbr, QbrPeriod, QbrSection
from programs.qbr.queries import following_revision
from programs.qbr.services.sections import SectionWriteSerializer, available_sections
from programs.quarters.fiscal_quarters import quarter_of
from programs.requests.visible import account_of
from programs.teams.fields import unit_to_write_for

ONLY_LEADERS = "Only the managers of its unit, executives and admins can write a business review."
IS_FROZEN = "This review is frozen: its figures and texts can no longer change."


class QbrExistsError(FieldError):
    """Raised if there is already a review of that unit and period: `qbr`."""

    def __init__(self, qbr: Qbr) -> None:
        super().__init__("day", f"There is one already: {qbr}.")
        self.qbr = qbr


def may_write(access: Access, qbr: Qbr) -> bool:
    return isinstance(access.viewer, User) and access.visibility.leads(qbr.unit_id)


def create_qbr(access: Access, *, unit: str = "", period: str = QbrPeriod.QUARTER, day: date) -> Qbr:
    """Creates a draft for the month or fiscal quarter of that day; `unit` is a slug, empty for the whole organisation.

    It shows all sections except those of the executive report, which have to be chosen.

    A unit archived since then can have one: it had facts at that time.

    Raises FieldError, QbrExistsError, MayNotWriteError.
    """
    account = account_of(access)
    placed = unit_to_write_for(unit, access.visibility, "Business reviews", must_stand=False)
    if not EARLIEST <= day <= LATEST:
        raise FieldError("day", f"Days lie between {EARLIEST} and {LATEST}.")
    window = _window_of(period, day)
    if window.start > windows.local_today():
        raise FieldError("day", f"{wording.day(window.start)} has not started: there are no figures to review.")
    with changes_by(account):
        qbr, created = Qbr.objects.get_or_create(
            unit=placed,
            period=period,
            start=window.start,
            revision=1,
            defaults={"end": window.end, "written_by": account},
        )
        if not created:
            raise QbrExistsError(following_revision(qbr) or qbr)
        QbrSection.objects.bulk_create(
            QbrSection(qbr=qbr, key=section.key, position=position, is_included=not section.part)
            for position, section in enumerate(available_sections(period))
        )
    return qbr


def write_section(access: Access, qbr: Qbr, key: str, given: Mapping[str, Any], *, of_version: int) -> QbrSection:
    """Writes the given fields, as in the API; unchanged text is no change.

    Raises FieldError, MayNotWriteError, ConflictError.
    """
    with writing(access, qbr) as (stored, account):
        section = stored.sections.select_for_update().filter(key=key).first()
        if section is None:
            raise FieldError("section", f"One of: {', '.join(stored.sections.values_list('key', flat=True))}.")
        fields = validated(SectionWriteSerializer(section, data=given, partial=True))
        if take_fields(section, fields, of_version, "Somebody changed this section in the meantime."):
            section.edited_by, section.edited_at = account, timezone.now()
            section.save()
        return section


def arrange_sections(
    access: Access, qbr: Qbr, order: Sequence[str], included: Collection[str], *, of_version: int
) -> Qbr:
    """Stores the order of the sections, and which of them are shown.  Sections not given keep their place at the end.

    Raises FieldError, MayNotWriteError, ConflictError.
    """
    with writing(access, qbr) as (stored, _):
        sections = {section.key: section for section in stored.sections.order_by("position")}
        for key in (*order, *included):
            if key not in sections:
                raise FieldError("order", f"There is no section {key[:40]!r}. One of: {', '.join(sections)}.")
        if not included:
            raise FieldError("included", "A review has at least one section.")
        if stored.version != of_version:
            raise ConflictError("Somebody arranged the sections in the meantime.", stored)
        keys = dict.fromkeys((*order, *sections))
        for position, key in enumerate(keys):
            sections[key].position, sections[key].is_included = position, key in included
        QbrSection.objects.bulk_update(sections.values(), ["position", "is_included"])
        stored.version += 1
        stored.save(update_fields=["version"])
    return stored


def discard_qbr(access: Access, qbr: Qbr) -> None:
    """Deletes a draft.  Raises FieldError for a frozen one, MayNotWriteError."""
    with writing(access, qbr) as (stored, _):
        stored.delete()


@contextmanager
def writing(access: Access, qbr: Qbr) -> Iterator[tuple[Qbr, User]]:
    """The draft, locked, and the writing account.  Raises FieldError if it is frozen, MayNotWriteError."""
    account = account_of(access)
    if not may_write(access, qbr):
        raise MayNotWriteError(ONLY_LEADERS)
    with changes_by(account):
        stored = Qbr.objects.select_for_update().get(pk=qbr.pk)
        if stored.is_frozen:
            raise FieldError("state", IS_FROZEN)
        yield stored, account


def _window_of(period: str, day: date) -> Window:
    return quarter_of(day).window if period == QbrPeriod.QUARTER else windows.whole_bucket(day, Granularity.MONTH)
