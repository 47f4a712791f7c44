"""Imports values from a CSV file: upload it, preview each row's effect, store all of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.csv_import import CsvFileError, uploaded_text
from core.views import form_view
from insights.hand_kept.csv_import import (
    COLUMNS,
    MOST_ROWS,
    NEEDED,
    import_values,
    read_values,
)
from insights.privacy.scope_access import access_in
from insights.ui import wording
from insights.ui.amounts import amount_text
from integrations.hand_kept.values import Outcome
from integrations.models import HandKeptMetric


@form_view
def hand_kept_import(request: HttpRequest) -> HttpResponse:
    """A POST with `file` previews the import; one with `text`, from the preview, performs it."""
    access = access_in(request)
    if not isinstance(access.viewer, User) or not (
        access.visibility.leads_any or HandKeptMetric.objects.filter(keepers=access.viewer).exists()
    ):
        raise PermissionDenied("Only managers of a unit and the keepers of a metric can enter values.")
    if request.method == "GET":
        return _page(request, {})
    try:
        if "text" in request.POST:
            outcomes = import_values(access, read_values(access, request.POST["text"]))
            changed = sum(outcome is not Outcome.UNCHANGED for outcome in outcomes)
            messages.success(request, f"{wording.count(changed, 'value')} imported.")
            return redirect("hand_kept")
        text = uploaded_text(request)
        rows = read_values(access, text)
    except CsvFileError as problem:
        return _page(request, {"problem": str(problem)}, status=400)
    wrong = sum(bool(row.problem) for row in rows)
    listed = [
        {
            "row": row,
            "value": amount_text(float(row.entry.value), row.entry.metric.unit_of_measure) if row.entry else "",
            "replaced": amount_text(float(row.replaced.value), row.entry.metric.unit_of_measure)
            if row.entry and row.outcome is Outcome.UPDATED and row.replaced is not None
            else "",
            "is_new": row.outcome is Outcome.CREATED,
        }
        for row in rows
    ]
    counts = {"rows": listed, "wrong": wrong, "text": "" if wrong else text, "number": len(rows) - wrong}
    return _page(request, counts)


def _page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    page = {"columns": COLUMNS, "needed": NEEDED, "most": MOST_ROWS, **context}
    return render(request, "insights/hand_kept/import.html", page, status=status)
