"""Tickets from a CSV file: upload it, look at what each row would become, store all of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.csv_import import CsvFileError, uploaded_text
from insights.privacy.scope_access import access_in
from insights.ui import wording
from insights.ui.views import form_view
from programs.tickets.services.csv_import import (
    LABELS,
    MOST_ROWS,
    NEEDED,
    NOT_READ,
    check_imports,
    import_tickets,
    read_tickets,
)


@form_view
def tickets_import(request: HttpRequest) -> HttpResponse:
    """A POST with `file` shows what it would do; one with `text`, which that page holds, does it."""
    access = access_in(request)
    check_imports(access.visibility)
    if request.method == "GET":
        return _page(request, {})
    try:
        if "text" in request.POST:
            stored = import_tickets(access, read_tickets(access, request.POST["text"]))
            messages.success(request, f"{wording.count(len(stored), 'ticket')} imported.")
            return redirect("tickets")
        text = uploaded_text(request)
        rows = read_tickets(access, text)
    except CsvFileError as problem:
        return _page(request, {"problem": str(problem)}, status=400)
    wrong = sum(bool(row.problem) for row in rows)
    new = sum(row.given is not None and not row.problem for row in rows)
    counts = {"new": new, "wrong": wrong, "known": sum(row.is_known for row in rows)}
    return _page(request, {"rows": rows, "text": "" if wrong else text, **counts})


def _page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    columns = [label for name, label in LABELS.items() if name not in NOT_READ]
    page = {"columns": columns, "needed": [LABELS[name] for name in NEEDED], "most": MOST_ROWS, **context}
    return render(request, "programs/tickets/import.html", page, status=status)
