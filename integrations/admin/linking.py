"""Linking rules of deployments, in Django admin: the paths of services, proposed rollbacks, and repeated reports."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import ngettext

from core.admin_permissions import NoAdding, NoDeleting
from integrations.delivery.linking.corrections import decide_repeated_reports, decide_rollbacks
from integrations.delivery.linking.relink import relink_paths
from integrations.delivery.linking.repeated_incidents import LONGEST_GAP
from integrations.delivery.linking.service_paths import rules_of
from integrations.enums import Kind
from integrations.models import ProposedRollback, RepeatedReport, ServicePaths
from integrations.outbox.write_lock import lock_for_linking


class ServicePathsForm(ModelForm[ServicePaths]):
    """The paths of a service; names an invalid pattern."""

    class Meta:
        model = ServicePaths
        fields = ("repository", "service", "patterns")

    def clean_patterns(self) -> list[str]:
        patterns: list[str] = self.cleaned_data["patterns"]
        for pattern in patterns:
            try:
                rules_of([pattern])
            except ValueError as problem:
                raise ValidationError(f"{pattern!r} is not a pattern: {problem}") from None
        return patterns


@admin.register(ServicePaths)
class ServicePathsAdmin(admin.ModelAdmin[ServicePaths]):
    """Admin of service paths; a change relinks the repository's pull requests, in the same transaction."""

    form = ServicePathsForm
    list_display = ("repository", "service", "rules")
    list_select_related = ("repository",)
    search_fields = ("repository__name", "service")
    autocomplete_fields = ("repository",)

    @admin.display(description="paths")
    def rules(self, paths: ServicePaths) -> str:
        return ", ".join(paths.patterns)

    def save_model(self, request: HttpRequest, obj: ServicePaths, form: Any, change: bool) -> None:
        before = ServicePaths.objects.filter(pk=obj.pk).first() or obj
        services = {before.service}
        with transaction.atomic():
            lock_for_linking(frozenset(Kind))
            super().save_model(request, obj, form, change)
            for repository in {obj.repository_id, before.repository_id}:
                relink_paths(repository, services)

    def delete_model(self, request: HttpRequest, obj: ServicePaths) -> None:
        self.delete_queryset(request, ServicePaths.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ServicePaths]) -> None:
        with transaction.atomic():
            lock_for_linking(frozenset(Kind))
            before = list(queryset)
            queryset.delete()
            for repository in {paths.repository_id for paths in before}:
                relink_paths(repository, {paths.service for paths in before})


@admin.register(ProposedRollback)
class ProposedRollbackAdmin(NoAdding, NoDeleting, admin.ModelAdmin[ProposedRollback]):
    """Admin of deployments of an older state than the one before; each counts as a rollback once it is confirmed."""

    list_display = ("deployment", "of_repository", "service", "finished_at", "rolled_back", "state", "decided_by")
    list_filter = ("state",)
    list_select_related = ("deployment__repository", "rolled_back")
    search_fields = ("deployment__repository__name", "deployment__service", "deployment__external_id")
    ordering = ("-deployment__finished_at",)
    actions = ("confirm", "refuse", "ask_again")

    @admin.display(description="repository", ordering="deployment__repository__name")
    def of_repository(self, proposed: ProposedRollback) -> str:
        return proposed.deployment.repository.name

    @admin.display(ordering="deployment__service")
    def service(self, proposed: ProposedRollback) -> str:
        return proposed.deployment.service

    @admin.display(ordering="deployment__finished_at")
    def finished_at(self, proposed: ProposedRollback) -> Any:
        return proposed.deployment.finished_at

    @admin.action(description="Confirm as rollbacks", permissions=["change"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[ProposedRollback]) -> None:
        self._decide(request, queryset, ProposedRollback.State.CONFIRMED)

    @admin.action(description="Not rollbacks", permissions=["change"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[ProposedRollback]) -> None:
        self._decide(request, queryset, ProposedRollback.State.REFUSED)

    @admin.action(description="Leave undecided", permissions=["change"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[ProposedRollback]) -> None:
        self._decide(request, queryset, ProposedRollback.State.PROPOSED)

    def _decide(
        self, request: HttpRequest, queryset: QuerySet[ProposedRollback], state: ProposedRollback.State
    ) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        changed = decide_rollbacks(chosen, state, by=request.user.get_username())
        message = ngettext("%d decision was changed.", "%d decisions were changed.", changed) % changed
        self.message_user(request, message, messages.SUCCESS)

    def get_readonly_fields(self, request: HttpRequest, obj: ProposedRollback | None = None) -> Any:
        return ("deployment", "rolled_back", "state", "decided_by", "decided_at")


@admin.register(RepeatedReport)
class RepeatedReportAdmin(NoAdding, NoDeleting, admin.ModelAdmin[RepeatedReport]):
    """Admin of deployments and incidents that two connections report; they count once, unless an admin counts them
    separately.
    """

    list_display = (
        *("kind", "repository", "service", "connection", "reported_by", "rule", "records", "last_at", "state"),
        "decided_by",
    )
    list_filter = ("kind", "state")
    list_select_related = ("repository", "connection", "reported_by")
    search_fields = ("repository__name", "service", "connection__name", "reported_by__name")
    ordering = ("-last_at",)
    actions = ("count_apart", "count_once")

    @admin.display
    def rule(self, report: RepeatedReport) -> str:
        """The rule by which they are the same."""
        if report.kind == Kind.DEPLOYMENT:
            once = "One run, or one commit within the rollout gap, with one outcome"
            return f"{once}; one names no service, or a longer name"
        same = "service" if report.service else "repository"
        minutes = LONGEST_GAP.seconds // 60
        return f"The same {same}, and begun within {minutes} minutes; each is the nearest of its connection"

    @admin.action(description="Count apart", permissions=["change"])
    def count_apart(self, request: HttpRequest, queryset: QuerySet[RepeatedReport]) -> None:
        self._decide(request, queryset, RepeatedReport.State.APART)

    @admin.action(description="Count once", permissions=["change"])
    def count_once(self, request: HttpRequest, queryset: QuerySet[RepeatedReport]) -> None:
        self._decide(request, queryset, RepeatedReport.State.ONCE)

    def _decide(self, request: HttpRequest, queryset: QuerySet[RepeatedReport], state: RepeatedReport.State) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        changed = decide_repeated_reports(chosen, state, by=request.user.get_username())
        message = ngettext("%d decision was changed.", "%d decisions were changed.", changed) % changed
        self.message_user(request, message, messages.SUCCESS)

    def get_readonly_fields(self, request: HttpRequest, obj: RepeatedReport | None = None) -> Any:
        return (*(field.name for field in RepeatedReport._meta.fields if field.name != "id"), "rule")
