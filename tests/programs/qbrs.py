"""The language of business review tests: a review of a unit, frozen and signed off."""

from __future__ import annotations

from datetime import UTC, date, datetime

import time_machine

from insights.query import windows
from programs.models import FrozenDocument, Qbr, QbrPeriod
from programs.qbr.services.content import document_of
from programs.qbr.services.document import QbrDocument
from programs.qbr.services.freezing import freeze_qbr, sign_qbr
from programs.qbr.services.writing import create_qbr, write_section
from tests.personas import EXECUTIVE, Persona
from tests.programs.tickets import as_

IN_Q3 = date(2026, 8, 1)
IN_OCTOBER = datetime(2026, 10, 5, 12, tzinfo=UTC)


def review(
    persona: Persona = EXECUTIVE, *, unit: str | None = None, day: date = IN_Q3, period: QbrPeriod = QbrPeriod.QUARTER
) -> Qbr:
    """A draft of the third quarter."""
    return create_qbr(as_(persona), unit=unit or "", period=period, day=day)


def say(qbr: Qbr, key: str, commentary: str, *, headline: str = "", persona: Persona = EXECUTIVE) -> None:
    version = qbr.sections.get(key=key).version
    write_section(as_(persona), qbr, key, {"headline": headline, "commentary": commentary}, of_version=version)


def frozen(qbr: Qbr, persona: Persona = EXECUTIVE) -> FrozenDocument:
    """In October, when its quarter is over."""
    with time_machine.travel(IN_OCTOBER, tick=False):
        document = freeze_qbr(as_(persona), qbr)
    qbr.refresh_from_db()
    return document


def signed(qbr: Qbr, persona: Persona = EXECUTIVE) -> Qbr:
    frozen(qbr, persona)
    with time_machine.travel(IN_OCTOBER, tick=False):
        sign_qbr(as_(persona), qbr)
    qbr.refresh_from_db()
    return qbr


def read(qbr: Qbr, persona: Persona = EXECUTIVE) -> QbrDocument:
    stored = Qbr.objects.select_related("unit", "document").get(pk=qbr.pk)
    return document_of(stored, as_(persona), today=windows.local_today())
