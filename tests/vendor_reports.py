"""Reports of a vendor of Claude Code, as its connector would pass them on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction

from integrations.connectors.drafts import ProvidedParts, VendorReportDraft, VendorUsageDraft, Who
from integrations.enums import VendorContent, VendorLevel
from integrations.intake.store_drafts import Stored, store_drafts
from integrations.models import Connection
from tests.org import DEFAULT_MODEL

LIST_PRICE = Decimal(3)  # of a person's day


def report_of(
    day: date, *people: str, content: VendorContent = VendorContent.BILL, dollars: str = "2.5"
) -> VendorReportDraft:
    usage = [
        VendorUsageDraft(
            level=VendorLevel.PERSON,
            person=Who(email=f"{name}@example.com"),
            agent="claude_code",
            model=DEFAULT_MODEL,
            sessions=2,
            input_tokens=500_000,
            cost=Decimal(dollars),
            list_cost=LIST_PRICE,
            currency="USD",
            last_used_on=day - timedelta(days=2) if content == VendorContent.SEATS else None,
        )
        for name in people
    ]
    return VendorReportDraft(
        external_id=f"{content}:{day}", report=content, content=content, day=day, usage=ProvidedParts(usage)
    )


def store(connection: Connection, drafts: Sequence[VendorReportDraft]) -> Stored:
    with transaction.atomic():
        return store_drafts(connection, drafts)
