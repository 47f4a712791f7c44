"""Ingest tokens in Django admin: created, shown once, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import ngettext

from core.admin_permissions import NoDeleting
from integrations.models import IngestScope, IngestToken
from integrations.telemetry.otlp.ingest_tokens import (
    LIFETIME,
    create_ingest_token,
    replace_ingest_token,
    revoke_ingest_token,
)
from orgtree.models import Person

LIFETIMES = {"30": "30 days", "90": "90 days", str(LIFETIME.days): "A year", "never": "Never"}


class NewIngestTokenForm(forms.ModelForm[IngestToken]):
    """The name, scope, lifetime and person of a new token."""

    scope = forms.ChoiceField(choices=IngestScope.choices, label="For", widget=forms.RadioSelect)
    changes = forms.ChoiceField(
        required=False,
        choices=[("own", "Its own"), ("all", "All")],
        initial="own",
        label="Pushed records it can change",
        help_text="Its own: the token can add records, and change and delete the records that it added. "
        "All: also the records of other tokens.",
    )
    lifetime = forms.ChoiceField(choices=list(LIFETIMES.items()), initial=str(LIFETIME.days), label="Ends after")
    person = forms.EmailField(
        required=False,
        label="Person",
        help_text="E-mail address of the person that all its telemetry counts for. Empty: the person named "
        "in the telemetry.",
    )

    class Meta:
        model = IngestToken
        fields = ("name",)

    def clean_person(self) -> Person | None:
        address = self.cleaned_data["person"]
        if not address:
            return None
        person = Person.objects.filter(email__iexact=address).first()
        if person is None:
            raise forms.ValidationError("No person has this address. Enter it as listed under People.")
        return person

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("person") and cleaned.get("scope") == IngestScope.PUSH:
            self.add_error("person", "Pushed records name their people: they cannot belong to one person.")
        if not cleaned.get("person") and not self.errors and cleaned.get("scope") == IngestScope.COLLECTOR:
            self.add_error("person", "Enter the person whose machine the collector is on.")
        return cleaned


@admin.register(IngestToken)
class IngestTokenAdmin(NoDeleting, admin.ModelAdmin[IngestToken]):
    """Admin of tokens.  A token is shown once, when created; it is revoked and never deleted, so that its name stays
    readable.
    """

    list_display = (
        "name",
        "ends_with",
        "sends",
        "changes",
        "person",
        "state",
        "created_at",
        "expires_at",
        "last_used_at",
        "claims",
        "folded",
    )
    list_filter = (
        "scope",
        "changes_all",
        ("revoked_at", admin.EmptyFieldListFilter),
        ("expires_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("identity__person",)
    search_fields = ("name", "hint")
    fields = ("name", "most_new_names", *list_display[1:], "revoked_at")
    readonly_fields = fields[2:]
    actions = ("replace", "revoke")

    def get_fields(self, request: HttpRequest, obj: IngestToken | None = None) -> Any:
        return self.fields if obj else ("name", "scope", "changes", "lifetime", "person")

    def get_readonly_fields(self, request: HttpRequest, obj: IngestToken | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_form(
        self, request: HttpRequest, obj: IngestToken | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(request, obj, change, **kwargs) if obj else NewIngestTokenForm

    def save_model(self, request: HttpRequest, obj: IngestToken, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name", "most_new_names"])
            return
        lifetime = form.cleaned_data["lifetime"]
        created, secret = create_ingest_token(
            obj.name,
            scope=IngestScope(form.cleaned_data["scope"]),
            lifetime=None if lifetime == "never" else timedelta(days=int(lifetime)),
            person=form.cleaned_data["person"],
            changes_all=form.cleaned_data["changes"] == "all",
        )
        obj.pk, obj.hint = created.pk, created.hint
        request.new_ingest_token = secret  # type: ignore[attr-defined]  # for response_add, which has nothing else

    def response_add(
        self, request: HttpRequest, obj: IngestToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._shown_once(request, obj, request.new_ingest_token)  # type: ignore[attr-defined]

    def _shown_once(self, request: HttpRequest, token: IngestToken, secret: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "The new ingest token",
            "opts": self.opts,
            "token": token,
            "secret": secret,
        }
        return TemplateResponse(
            request, "admin/integrations/ingesttoken/created.html", context, headers={"Cache-Control": "no-store"}
        )

    @admin.display(description="Ends with", ordering="hint")
    def ends_with(self, token: IngestToken) -> str:
        return f"…{token.hint}"

    @admin.display(description="For", ordering="scope")
    def sends(self, token: IngestToken) -> str:
        return IngestScope(token.scope).label if token.scope else "Everything"

    @admin.display(description="Changes", ordering="changes_all")
    def changes(self, token: IngestToken) -> str:
        if token.scope in (IngestScope.TELEMETRY, IngestScope.COLLECTOR):
            return "–"
        return "All records" if token.changes_all else "Its own records"

    @admin.display(description="Person")
    def person(self, token: IngestToken) -> str:
        if token.identity is None:
            return "Claimed person"
        return str(token.identity.person or "Nobody")

    @admin.display(description="State", ordering="revoked_at")
    def state(self, token: IngestToken) -> str:
        if token.revoked_at:
            return "Revoked"
        if token.expires_at and token.expires_at <= timezone.now():
            return "Expired"
        return "In use" if token.last_used_at else "Never used"

    @admin.display(description="Other claimed addresses", ordering="other_claims")
    def claims(self, token: IngestToken) -> str:
        return f"{token.other_claims:,}, the last: {token.last_claim}" if token.other_claims else "None"

    @admin.display(description="Counted as “other”", ordering="folded_records")
    def folded(self, token: IngestToken) -> str:
        if not token.last_folded_at:
            return "None"
        at = timezone.localtime(token.last_folded_at)
        return (
            f"{token.folded_records:,} records, the last at {date_format(at, 'DATETIME_FORMAT')}: {token.last_folded}"
        )

    @admin.action(description="Replace the selected token: its records become the new one's", permissions=["add"])
    def replace(self, request: HttpRequest, tokens: QuerySet[IngestToken]) -> HttpResponse | None:
        if len(tokens) != 1:
            self.message_user(request, "Select the one token that is to be replaced.", messages.ERROR)
            return None
        return self._shown_once(request, *replace_ingest_token(tokens[0]))

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, tokens: QuerySet[IngestToken]) -> None:
        valid = list(tokens.filter(revoked_at=None))
        for token in valid:
            revoke_ingest_token(token)
        self.message_user(
            request,
            ngettext("%d token was revoked.", "%d tokens were revoked.", len(valid)) % len(valid),
            messages.SUCCESS,
        )
