"""The page of a business review, its presentation, its PDF, its figures as CSV, and its comparison."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from core.browser_print import PrintingError
from core.csv_export import csv_response
from core.views import record_view
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import tiles
from programs.closing.pages.printing import pdf_of
from programs.history.events import names_of_accounts
from programs.models import Qbr, QbrState
from programs.qbr.pages.documents import (
    decision_lines,
    file_name,
    invited_people,
    meeting_of,
    printable,
    qbr_url,
    read_review,
    signed_text,
)
from programs.qbr.queries import following_revision, preceding_qbr, preceding_revision
from programs.qbr.services.comparing import ComparedFigure, compare_figures, figure_rows, restated_figures
from programs.qbr.services.content import document_of
from programs.qbr.services.writing import may_write
from programs.requests.visible import visible_qbr


@record_view
def qbr(request: HttpRequest, pk: int) -> HttpResponseBase:
    access = access_in(request)
    found = visible_qbr(pk, access)
    writes = may_write(access, found)
    meeting = meeting_of(found, access)
    sections = list(found.sections.order_by("position")) if writes and not found.is_frozen else []
    context: dict[str, Any] = {
        "qbr": found,
        "review": read_review(request, found),
        "earlier": preceding_qbr(found, access.visibility),
        "writes": writes,
        "following": following_revision(found, access.visibility),
        "preceding": preceding_revision(found, access.visibility) if found.revision > 1 else None,
        "signed": signed_text(found),
        "decisions": decision_lines(found, access),
        "may_decide": writes and found.state != QbrState.SIGNED,
        "meeting": meeting,
        "invited": invited_people(meeting, access) if meeting else "",
        "sections": sections,
        "names": names_of_accounts([section.edited_by_id for section in sections]),
        "address": request.build_absolute_uri(qbr_url(found)),
    }
    return render(request, "programs/qbr/qbr.html", context)


@record_view
def qbr_present(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The presentation: one screen per section, navigated with the keyboard."""
    found = visible_qbr(pk, access_in(request))
    context = {"review": read_review(request, found), "back_url": qbr_url(found)}
    return render(request, "programs/qbr/present.html", context)


@record_view
def qbr_pdf(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The sheets as this viewer sees them, printed by the server's browser."""
    found = visible_qbr(pk, access_in(request))
    try:
        return pdf_of(printable(read_review(request, found)), file_name(found))
    except PrintingError as problem:
        messages.warning(request, str(problem))
        return redirect(qbr_url(found))


@record_view
def qbr_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    access = access_in(request)
    found = visible_qbr(pk, access)
    document = document_of(found, access, today=windows.local_today())
    return csv_response(file_name(found), figure_rows(document, restated_figures(document, access)))


@record_view
def qbr_compare(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A comparison, figure by figure, with the same unit's latest frozen review before this one."""
    access = access_in(request)
    found = visible_qbr(pk, access)
    earlier = preceding_qbr(found, access.visibility)
    if earlier is None:
        messages.info(request, "There is no earlier review of this unit to compare with.")
        return redirect(qbr_url(found))
    today = windows.local_today()
    compared = compare_figures(document_of(found, access, today=today), document_of(earlier, access, today=today))
    context = {
        "qbr": found,
        "earlier": earlier,
        "earlier_url": qbr_url(earlier),
        "back_url": qbr_url(found),
        "compared": [(figure, _change(figure, earlier)) for figure in compared],
    }
    return render(request, "programs/qbr/compare.html", context)


def _change(compared: ComparedFigure, earlier: Qbr) -> tiles.Change | None:
    figure, now, before = compared.figure, compared.now, compared.earlier
    if not now or not before or compared.is_of_another_formula:
        return None
    return tiles.change_between(figure, now.now.value, before.now.value, earlier.period_name)
