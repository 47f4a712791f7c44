"""Pages of the philosophy: reading, acknowledging, publishing, and earlier versions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from core.edit_conflicts import renumber
from core.markdown import as_html
from core.views import action_view, form_view, page_view, record_view
from core.write_errors import ConflictError, FieldError
from insights.privacy.scope_access import access_in
from insights.ui.wording import moment
from orgtree.access.who_sees import GONE, name_of, names_of
from programs.models import PhilosophyVersion
from programs.models.philosophy import LONGEST_REASON
from programs.philosophy.publishing import (
    acknowledge,
    acknowledged_by,
    current_philosophy,
    has_acknowledged,
    lines_changed,
    may_publish,
    philosophy_versions,
    publish_philosophy,
    version_numbered,
)


class PhilosophyForm(forms.Form):
    text = forms.CharField(label="Text", widget=forms.Textarea(attrs={"rows": 24}), help_text="Markdown.", strip=False)
    reason = forms.CharField(label="What changed, and why", max_length=LONGEST_REASON, required=False)
    number = forms.IntegerField(widget=forms.HiddenInput)


@record_view
def philosophy(request: HttpRequest) -> HttpResponse:
    version, access = current_philosophy(), access_in(request)
    versions = philosophy_versions()
    done, accounts = acknowledged_by(version.number) if may_publish(access) else (0, 0)
    context = {
        "html": as_html(version.text),
        "published": _published(version),
        "number": version.number,
        "acknowledged": has_acknowledged(request.user, version.number),  # type: ignore[arg-type]  # an account
        "done": done,
        "accounts": accounts,
        "edit_url": reverse("philosophy_edit") if may_publish(access) else "",
        "versions": versions,
        "names": names_of([version.written_by for version in versions if version.written_by]),
    }
    return render(request, "programs/philosophy/philosophy.html", context)


@action_view
def philosophy_acknowledge(request: HttpRequest) -> HttpResponse:
    """Acknowledges version `number`; if it is no longer the current one, the current one has to be read first."""
    number = request.POST.get("number", "")
    if number.isdecimal() and int(number[:9]) == current_philosophy().number:
        acknowledge(request.user, int(number[:9]))  # type: ignore[arg-type]  # as above
    else:
        messages.warning(request, "A newer version was published since you opened this page. Please read it first.")
    return redirect("philosophy")


@form_view
def philosophy_edit(request: HttpRequest) -> HttpResponse:
    access = access_in(request)
    if not may_publish(access):
        raise PermissionDenied("Only executives and admins can publish the philosophy.")
    published = current_philosophy()
    if request.method == "GET":
        form = PhilosophyForm(initial={"text": published.text, "number": published.number})
        return _form_page(request, form)
    form = PhilosophyForm(request.POST)
    if form.is_valid() and "preview" in request.POST:
        return _form_page(request, form, {"preview": as_html(form.cleaned_data["text"])})
    if form.is_valid():
        data = form.cleaned_data
        try:
            publish_philosophy(access, data["text"], data["reason"], of_number=data["number"])
        except ConflictError as conflict:
            return _conflict_page(request, form, conflict.stored)
        except FieldError as problem:
            form.add_error(problem.field, problem.message)
        else:
            messages.success(request, "Published. Everybody is asked to acknowledge it.")
            return redirect("philosophy")
    return _form_page(request, form, status=400)


@page_view
def philosophy_version(request: HttpRequest, number: int) -> HttpResponse:
    """An earlier version, with its changes from the one before."""
    version = version_numbered(number)
    if version is None:
        raise Http404("No such version.")
    context = {
        "version": version,
        "html": as_html(version.text),
        "published": f"{name_of(version.written_by) if version.written_by else GONE}, {moment(version.written_at)}",
        "differences": lines_changed(version),
    }
    return render(request, "programs/philosophy/version.html", context)


def _conflict_page(request: HttpRequest, form: PhilosophyForm, published: PhilosophyVersion) -> HttpResponse:
    """The response to a conflict: the form keeps the submitted values and gets the newest version number."""
    renumber(form, "number", published.number)
    context = {
        "conflict": f"{_published(published)}: another version was published while you were editing. "
        "Your version is below and not saved: merge the other text and publish again.",
        "other": published.text,
    }
    return _form_page(request, form, context, status=409)


def _form_page(
    request: HttpRequest, form: PhilosophyForm, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    return render(request, "programs/philosophy/form.html", {**(context or {}), "form": form}, status=status)


def _published(version: PhilosophyVersion) -> str:
    if not version.number:
        return "Headway's default text, not published yet"
    who = name_of(version.written_by) if version.written_by else GONE
    return f"Version {version.number}, {who}, {moment(version.written_at)}"
