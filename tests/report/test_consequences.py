"""The consequences of points: a late delivery is described once, and named where it stands again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from insights.forecasts.listing import DeliveryRisk
from programs.report.services import consequences
from programs.report.services.consequences import Consequences, described_once
from programs.report.services.document import Fact, Point, Sentence, SourceKind, source
from programs.report.services.wording import CUSTOMERS, DATES, ON_CUSTOMERS
from tests.report.documents import report_document

pytestmark = pytest.mark.django_db
TODAY = date(2026, 10, 12)
CHECKOUT = DeliveryRisk(
    kind="epic",
    key="jira:7",
    name="Checkout",
    reference="MOB-7",
    planned_on=date(2026, 11, 2),
    likely_on=date(2026, 11, 20),
    days_late=14,
    odds=0.3,
    since=None,
    added=0,
    weekly=0.0,
)
NOT_LINKED = "No effect on customers, cost or dates is linked."


def bugs(key: str) -> Mapping[str, Fact]:
    return (
        {"now": Fact(text="4"), "before": Fact(text="9"), "quarter": Fact(text="Q2 2026")} if key == CUSTOMERS else {}
    )


def test_dates_come_before_customers_and_what_is_not_linked_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    risks = [CHECKOUT]
    monkeypatch.setattr(consequences, "delivery_risks", lambda *_, **__: risks)
    late = Consequences(None, TODAY, {}, bugs).of((DATES, ON_CUSTOMERS))
    assert str(late) == "Dates: Checkout is likely 14 working days late; it is planned for 2 Nov 2026."
    assert late.sources == {source(SourceKind.DELIVERY, "epic", "jira:7")}
    risks.clear()
    assert str(Consequences(None, TODAY, {}, bugs).of((DATES, ON_CUSTOMERS))) == (
        "Customers: they found 4 bugs in the quarter, after 9 in Q2 2026."
    )
    assert str(Consequences(None, TODAY, {}, bugs).of((DATES,))) == NOT_LINKED
    assert str(Consequences(None, TODAY, {}, lambda _: {}).cost()) == NOT_LINKED


def test_a_late_delivery_is_described_where_it_first_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consequences, "delivery_risks", lambda *_, **__: [CHECKOUT])
    late = Consequences(None, TODAY, {}, bugs).of((DATES,))
    first, second, other = (
        Point(key=key, title=Sentence(text=key), text=Sentence(text="."), consequence=consequence)
        for key, consequence in (("first", late), ("second", late), ("other", Sentence(text=NOT_LINKED)))
    )
    made = described_once(report_document(highlights=(first, other), bottlenecks=(second, other)))
    assert [str(point.consequence) for point in made.points] == [
        str(late),
        NOT_LINKED,
        "Dates: Checkout is late, as said above.",
        NOT_LINKED,
    ]
    assert made.bottlenecks[0].consequence.sources == late.sources, "its name still opens it"
