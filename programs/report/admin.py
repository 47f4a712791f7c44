"""Admin of the language model that may reword reports."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from core.admin_permissions import NoDeleting
from programs.models import LanguageModel
from programs.models.reports import API_KEY


class LanguageModelForm(forms.ModelForm[LanguageModel]):
    """The key is never shown; an empty field keeps it, and a changed address requires it again."""

    base_url = forms.URLField(
        label="Address",
        required=False,
        max_length=300,
        assume_scheme="https",
        help_text="Of an OpenAI-compatible API, up to and without /chat/completions: https://models.example.com/v1",
    )
    api_key = forms.CharField(
        label="API key",
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
        help_text="Stored encrypted and never shown. Empty: it stays as it is.",
    )

    class Meta:
        model = LanguageModel
        fields = ("is_on", "model")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("is_on") and not (given.get("base_url") and given.get("model")):
            raise forms.ValidationError("Enter an address and a model before you turn it on.")
        if "base_url" in self.changed_data and self.instance.secrets and not given.get("api_key"):
            self.add_error("api_key", "Enter the key again: it is sent to another address.")
        return given

    def save(self, commit: bool = True) -> LanguageModel:
        if key := self.cleaned_data.get("api_key"):
            self.instance.secrets = {API_KEY: key}
        self.instance.pk, self.instance.base_url = 1, self.cleaned_data["base_url"].rstrip("/")
        model: LanguageModel = super().save(commit)
        return model


@admin.register(LanguageModel)
class LanguageModelAdmin(NoDeleting, admin.ModelAdmin[LanguageModel]):
    """A single row, so the list redirects to it."""

    form = LanguageModelForm
    fields = ("is_on", "base_url", "model", "api_key")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not LanguageModel.objects.exists()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        route, about = ("change", [1]) if LanguageModel.objects.exists() else ("add", [])
        return redirect(reverse(f"admin:programs_languagemodel_{route}", args=about))
