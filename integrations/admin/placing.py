"""Matching rules in Django admin: what a name means that neither an address nor a known name resolves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from integrations.enums import Kind
from integrations.intake.names import spelled
from integrations.intake.placing_rules import is_matched, names_of_repository
from integrations.models import Connection, Deployment, Incident, Owned, OwnedKind, PlacingRule, Repository
from integrations.sync.unplaced_groups import unplaced_groups

MOST_SHOWN = 10
Subject = PlacingRule.Subject


class PlacingRuleForm(ModelForm[PlacingRule]):
    """The form of a rule, which shows only the target that fits its subject."""

    class Meta:
        model = PlacingRule
        fields = ("subject", "connection", "pattern", "repository", "service")
        widgets = {"pattern": forms.TextInput(attrs={"size": 80, "spellcheck": "false"})}

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        wanted, other = (
            ("repository", "service") if given.get("subject") == Subject.REPOSITORY else ("service", "repository")
        )
        if not given.get(wanted) and wanted not in self.errors:
            self.add_error(wanted, f"Say which {wanted} the name means.")
        given[other] = None if other == "repository" else ""
        return given

    def clean_pattern(self) -> str:
        """The pattern without credentials, which a pasted address may contain."""
        pattern: str = self.cleaned_data["pattern"]
        return spelled(pattern) if "@" in pattern else pattern


@admin.register(PlacingRule)
class PlacingRuleAdmin(admin.ModelAdmin[PlacingRule]):
    """Admin of matching rules; within seconds the worker places waiting records and moves those that a rule had
    placed.
    """

    form = PlacingRuleForm
    list_display = ("pattern", "subject", "meaning", "of_connection")
    list_filter = ("subject", "connection")
    list_select_related = ("repository", "connection")
    search_fields = ("pattern", "repository__name", "service")
    autocomplete_fields = ("repository",)
    change_form_template = "admin/integrations/placingrule/change_form.html"

    @admin.display(description="means")
    def meaning(self, rule: PlacingRule) -> str:
        return str(rule.repository or rule.service)

    @admin.display(description="connection", ordering="connection__name")
    def of_connection(self, rule: PlacingRule) -> str:
        return str(rule.connection or "Any")

    def get_urls(self) -> list[URLPattern]:
        tried = self.admin_site.admin_view(self.try_view)
        return [path("try/", tried, name="integrations_placingrule_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """The records that the unsaved rule in the form would match; requested while typing."""
        if not self.has_add_permission(request) and not self.has_change_permission(request):
            raise PermissionDenied
        return require_POST(_tried)(request)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "connection":
            kwargs["queryset"] = Connection.objects.filter(removed_at=None).order_by("name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def _tried(request: HttpRequest) -> HttpResponse:
    form = PlacingRuleForm(request.POST)
    form.is_valid()
    pattern, subject = form.cleaned_data.get("pattern"), form.cleaned_data.get("subject")
    if not pattern or not subject or "connection" in form.errors:
        context: Mapping[str, Any] = {"problem": "Enter a name or a pattern."}
    else:
        rule = PlacingRule(subject=subject, pattern=pattern, connection=form.cleaned_data.get("connection"))
        context = _matched_services(rule) if subject == Subject.SERVICE else _matched_names(rule)
    return render(request, "admin/integrations/placingrule/_tried.html", context)


def _matched_names(rule: PlacingRule) -> dict[str, Any]:
    waiting = [
        group
        for group in unplaced_groups(rule.connection_id)
        if group.kind != Kind.WORK_ITEM and is_matched(rule, names_of_repository(group.named, group.source))
    ]
    repositories = Repository.objects.order_by("name").values_list("name", "remote")
    known = [
        name
        for name, remote in repositories.iterator()
        if is_matched(rule, (*names_of_repository(remote or name, ""), name))
    ]
    return {"groups": waiting[:MOST_SHOWN], "more": max(len(waiting) - MOST_SHOWN, 0), "known": known[:MOST_SHOWN]}


def _matched_services(rule: PlacingRule) -> dict[str, Any]:
    services = Owned.objects.filter(kind=OwnedKind.SERVICE).order_by("name").values_list("name", flat=True)
    shown: list[dict[str, Any]] = []
    for name in services.iterator():
        if len(shown) < MOST_SHOWN and is_matched(rule, [name]):
            of_connection = {"connection": rule.connection_id} if rule.connection_id else {}
            deployments = Deployment.objects.filter(service=name, deleted_at=None, **of_connection).count()
            incidents = Incident.objects.filter(service=name, deleted_at=None, **of_connection).count()
            shown.append({"name": name, "number": deployments + incidents})
    return {"services": shown, "groups": [], "problem": "" if shown else "No record names such a service."}
