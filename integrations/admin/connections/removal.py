"""Removing a connection: asks, with counts, whether to keep its facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from core.forms import posted
from core.locks import BusyError
from integrations.admin.connections.sections import section_context
from integrations.models import Connection
from integrations.models.connections import GIT
from integrations.sync.remove_connection import (
    removal_impact,
    remove_keeping_facts,
    remove_with_facts,
    remove_with_facts_later,
)
from integrations.webhooks.register import remove_hooks_of

KEEP, DELETE = "keep", "delete"
MOST_WHILE_WAITING = 20_000  # records: more take longer than a browser and the server wait


class RemoveConnectionForm(forms.Form):
    """Form that asks whether to keep the facts; nothing is preselected."""

    facts = forms.ChoiceField(
        choices=(
            (KEEP, "Keep its records, marked as no longer connected"),
            (DELETE, "Delete the records that it alone provided"),
        ),
        widget=forms.RadioSelect,
        label="What should happen to its records?",
        error_messages={"required": "Choose what should happen to the records."},
    )


def remove(request: HttpRequest, connection: Connection, *, log: Callable[[HttpRequest, Any], Any]) -> HttpResponse:
    """The page that removes a connection.  A POST removes it; `log` writes that to admin's history."""
    form = RemoveConnectionForm(posted(request))
    if request.method == "POST" and form.is_valid():
        return _removed(request, connection, log, keeping_facts=form.cleaned_data["facts"] == KEEP)
    context = {
        **section_context(request, connection, title=f"Remove {connection}", current="delete"),
        "form": form,
        "brought": removal_impact(connection),
    }
    return TemplateResponse(request, "admin/integrations/connection/remove.html", context)


def _removed(
    request: HttpRequest, connection: Connection, log: Callable[[HttpRequest, Any], Any], *, keeping_facts: bool
) -> HttpResponse:
    name, total = str(connection), 0 if keeping_facts else removal_impact(connection).total
    later = total > MOST_WHILE_WAITING and connection.provider != GIT
    remove = remove_keeping_facts if keeping_facts else remove_with_facts_later if later else remove_with_facts
    hooks_left = remove_hooks_of(connection)
    try:
        with transaction.atomic():
            log(request, Connection.objects.filter(pk=connection.pk))
            remove(connection)
    except BusyError:
        words = (
            f"{name} is being synced right now, and was not removed. Pause it, and try again when the sync has ended."
        )
        messages.error(request, words)
    else:
        what = "Its records are kept." if keeping_facts else "The records that it alone provided are deleted, too."
        if later:
            what = (
                f"The {total:,} records that it provided are being deleted in the background; figures change as they "
                "are deleted."
            )
        messages.success(request, f"{name} is removed. {what}")
        if hooks_left:
            left = "1 webhook" if hooks_left == 1 else f"{hooks_left:,} webhooks"
            messages.warning(
                request, f"{left} could not be removed at the provider. Remove the webhooks that point here by hand."
            )
    return redirect("admin:integrations_connection_changelist")
