"""Finds the report that an address names, and the frozen ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.write_errors import FieldError
from insights.privacy.scope_access import check_scope
from insights.query import windows
from insights.query.errors import UnknownUnitError
from insights.query.parameters import EARLIEST
from insights.query.query import Scope
from insights.ui.filters import QUARTER, quarter_window, quarters_to_offer
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.closing.services.frozen import stored_document
from programs.models import Quarter, Report, ReportRewrite
from programs.quarters.fiscal_quarters import quarter_of
from programs.report.services.content import report_of
from programs.report.services.document import ReportDocument
from programs.report.services.rewriting import worded

LIVE = "live"
LONGEST_NUMBER = 4  # digits of a revision's number


@dataclass(frozen=True)
class ReportChoice:
    """A unit (None: the whole organisation), a quarter, and the frozen report of both, if there is one."""

    unit: Unit | None
    quarter: Quarter
    report: Report | None
    newest: int = 0  # the number of the newest frozen revision

    @property
    def name(self) -> str:
        """The quarter's name: 2026-Q3."""
        return windows.quarter_name(self.quarter.start)

    @property
    def name_before(self) -> str:
        return windows.quarter_name(quarter_before(self.quarter).start)

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters of the report's address."""
        is_older = self.report is not None and self.report.revision < self.newest
        revision: object = (self.report.revision if is_older else "") if self.report else LIVE if self.newest else ""
        return {"unit": self.unit.slug if self.unit else "", "quarter": self.name, "revision": revision}


def quarter_named(name: str, today: date) -> Quarter:
    """The quarter with a name such as 2026-Q3; by default the latest that is over.  Raises FieldError."""
    if not name:
        return quarter_of(windows.quarter_of(today).start - timedelta(days=1))
    match = QUARTER.fullmatch(name)
    if match and EARLIEST.year < int(match[1]) <= today.year + 1:
        window = quarter_window(int(match[1]), int(match[2]))
        if window.start <= today:
            return quarter_of(window.start)
    raise FieldError("quarter", "It is a quarter that has begun, such as 2026-Q3.")


def quarter_before(quarter: Quarter) -> Quarter:
    return quarter_of(quarter.start - timedelta(days=1))


def chosen_report(scope: Scope, quarter: str, access: Access, today: date, *, revision: str = "") -> ReportChoice:
    """The chosen report; `revision` is a number, or live; by default the newest frozen one, else live figures.

    Raises FieldError, and UnknownUnitError for a unit that the viewer may not see.
    """
    check_scope(Scope(unit=scope.unit), access)
    unit = Unit.objects.within(access.visibility).filter(slug=scope.unit).first() if scope.unit else None
    if scope.unit and unit is None:
        raise UnknownUnitError(scope.unit)
    found = quarter_named(quarter, today)
    frozen = {report.revision: report for report in Report.objects.of(unit, found.start)}
    newest = max(frozen, default=0)
    if revision in ("", LIVE):
        return ReportChoice(unit, found, None if revision else frozen.get(newest), newest)
    number = int(revision) if revision.isascii() and revision.isdigit() and len(revision) < LONGEST_NUMBER else 0
    if number not in frozen:
        raise FieldError("revision", f"It is {LIVE}, or the number of a frozen revision: there are {newest}.")
    return ReportChoice(unit, found, frozen[number], newest)


def document_of(
    choice: ReportChoice, access: Access, today: date, *, texts: Mapping[str, str] | None = None
) -> ReportDocument:
    """The document, frozen or live, as the viewer may see it; reworded by `texts` if given.

    Raises FrozenDocumentError, QueryError.
    """
    if choice.report is not None:
        document = stored_document(ReportDocument, choice.report.document)
        return (worded(document, texts) if texts else document).visible(access)
    return report_of(choice.unit, choice.quarter, today=today).visible(access)


def quarters_offered(today: date) -> Sequence[str]:
    return quarters_to_offer(today)


def rewrite_of(choice: ReportChoice) -> ReportRewrite | None:
    """A language model's rewording of the frozen report."""
    return ReportRewrite.objects.filter(report=choice.report).first() if choice.report else None


def earlier_of(choice: ReportChoice, access: Access) -> Report | None:
    """The newest frozen report of the quarter before."""
    before = quarter_before(choice.quarter)
    return Report.objects.within(access.visibility).of(choice.unit, before.start).first()
