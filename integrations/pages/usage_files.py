"""/integrations/usage-files/: an admin uploads a person's usage as summed up by ccusage."""

from __future__ import annotations

from typing import cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from integrations.telemetry.usage_files.store import LARGEST_FILE, Imported, import_ccusage
from orgtree.access.permissions import admins_only

ERRORS_SHOWN = 20


class UsageFileForm(forms.Form):
    file = forms.FileField(label="JSON file")
    person = forms.EmailField(label="Person", help_text="E-mail address of the person who used the agent.")
    agent = forms.CharField(
        label="Agent", required=False, max_length=40, help_text="Only if the file names no agent: codex, gemini, …"
    )

    def clean_file(self) -> UploadedFile[bytes]:
        file = cast("UploadedFile[bytes]", self.cleaned_data["file"])
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(f"It is larger than {LARGEST_FILE // 1024**2} MB.")
        return file


@admins_only
@never_cache
@require_http_methods(["GET", "POST"])
def usage_files(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, UsageFileForm())
    form = UsageFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=422)
    imported = import_ccusage(
        form.cleaned_data["file"].read(),
        email=form.cleaned_data["person"],
        agent=form.cleaned_data["agent"],
        dry_run="preview" in request.POST,
    )
    return _page(request, form, imported, status=422 if imported.errors else 200)


def _page(
    request: HttpRequest, form: UsageFileForm, imported: Imported | None = None, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "told": imported,
        "errors": imported.errors[:ERRORS_SHOWN] if imported else (),
        "more_errors": max(0, len(imported.errors) - ERRORS_SHOWN) if imported else 0,
    }
    return render(request, "integrations/usage_files.html", context, status=status)
