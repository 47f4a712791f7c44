"""Custom fields of a connection: those that Headway reads, with examples of their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations.admin.connections.sections import section_context
from integrations.connectors.base import MappedField
from integrations.connectors.errors import ConnectorError
from integrations.connectors.registered import connectors
from integrations.models import Connection
from integrations.sync.connect import has_mapped_fields, mapped_fields_of, save_mapped_fields

FOUND, OTHER = "found_", "other_"  # prefixes of the name of a setting
LONGEST_CHOICE = 500


def mapped_fields(request: HttpRequest, connection: Connection) -> HttpResponse:
    """The page of custom fields.  A POST saves the choice; names that match no field are refused, and change
    nothing.
    """
    if not has_mapped_fields(connection):
        raise Http404("This provider has no custom fields.")
    chosen = _chosen(request, connection) if request.method == "POST" else {}
    shown = copy(connection)
    shown.settings = {**connection.settings, **chosen}
    fields: Sequence[MappedField] = ()
    problem: ConnectorError | None = None
    try:
        fields = mapped_fields_of(shown)
    except ConnectorError as refused:
        problem = refused
    mistakes = [f"No field is called {name}." for field in fields for name in field.unknown]
    if chosen and problem is None and not mistakes:
        if save_mapped_fields(connection, chosen):
            messages.success(request, "The fields are saved. Headway reads everything again with them.")
        else:
            messages.info(request, "No field was changed.")
        return redirect("admin:integrations_connection_fields", connection.pk)
    context = {
        **section_context(request, connection, title=f"Fields of {connection}", current="fields"),
        "fields": fields,
        "problem": problem,
        "mistakes": mistakes if chosen else (),
    }
    page = "admin/integrations/connection/mapped_fields.html"
    return render(request, page, context, status=400 if chosen and mistakes else 200)


def _chosen(request: HttpRequest, connection: Connection) -> Mapping[str, str]:
    """Ids and names by setting; empty if the fields are detected automatically."""
    settings = [field.name for field in connectors()[connection.provider].fields if field.mapped]
    return {name: _named(request, name) for name in settings if f"{OTHER}{name}" in request.POST}


def _named(request: HttpRequest, setting: str) -> str:
    """The chosen fields of a setting; empty if the selection equals the detected fields."""
    named = [*request.POST.getlist(setting), *request.POST.get(OTHER + setting, "").split(",")]
    names = ", ".join(dict.fromkeys(name.strip() for name in named if name.strip()))[:LONGEST_CHOICE]
    return "" if names == request.POST.get(FOUND + setting) else names
