"""Hand-kept metrics in Django admin.  Values are entered on the pages; here they are read-only."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.authorship import changes_by
from integrations.hand_kept.definitions import MEANT_OTHERWISE, remove_metrics, save_definition
from integrations.hand_kept.templates import TEMPLATES
from integrations.models import HandKeptMetric
from orgtree.organisation.cached_settings import raise_catalogue_version

FIELDS = ("templates", "name", "slug", "meaning", "unit_of_measure", "better", "valid_days", "keepers", "values")


@admin.register(HandKeptMetric)
class HandKeptMetricAdmin(admin.ModelAdmin[HandKeptMetric]):
    """Admin of hand-kept metrics.  Templates, linked above the list and on the page of hand-kept metrics, prefill the
    form.
    """

    list_display = ("name", "slug", "unit_of_measure", "better", "values_entered", "latest")
    search_fields = ("name", "slug", "meaning")
    filter_horizontal = ("keepers",)
    fields = FIELDS

    def get_queryset(self, request: HttpRequest) -> QuerySet[HandKeptMetric]:
        return super().get_queryset(request).annotate(number=Count("values"), last_day=Max("values__day"))

    @admin.display(description="values", ordering="number")
    def values_entered(self, metric: HandKeptMetric) -> int:
        return metric.number  # type: ignore[attr-defined,no-any-return]  # annotated by get_queryset

    @admin.display(description="latest value", ordering="last_day")
    def latest(self, metric: HandKeptMetric) -> Any:
        return metric.last_day  # type: ignore[attr-defined]  # annotated by get_queryset

    @admin.display(description="values", empty_value="Enter values after saving.")
    def values(self, metric: HandKeptMetric) -> SafeString | None:
        if metric._state.adding:
            return None
        return format_html('<a href="{}">Enter and view values</a>', reverse("hand_kept_values", args=[metric.slug]))

    @admin.display(description="use template")
    def templates(self, _metric: HandKeptMetric) -> SafeString:
        used = set(HandKeptMetric.objects.values_list("slug", flat=True))
        address = reverse("admin:integrations_handkeptmetric_add")
        links = [(address, slug, draft.name) for slug, draft in TEMPLATES.items() if slug not in used]
        return format_html_join(" · ", '<a href="{}?template={}">{}</a>', links)

    def get_fields(self, request: HttpRequest, obj: HandKeptMetric | None = None) -> Any:
        return [name for name in FIELDS if obj is None or name != "templates"]

    def get_readonly_fields(self, request: HttpRequest, obj: HandKeptMetric | None = None) -> Any:
        fixed = () if obj is None else ("slug", "unit_of_measure") if obj.values.exists() else ("slug",)
        return ("templates", "values", *fixed)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        template = TEMPLATES.get(request.GET.get("template", ""))
        if template is None:
            return {}
        names = ("slug", "name", "meaning", "unit_of_measure", "better", "valid_days")
        account = cast(User, request.user)
        return {**{name: getattr(template, name) for name in names}, "keepers": [account.pk]}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Save the metric and its keepers in one transaction, with the user as author in the history."""
        with changes_by(cast(User, request.user)):
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: HandKeptMetric, form: Any, change: bool) -> None:
        if change:
            obj.version += 1
            obj.formula_version += bool({*MEANT_OTHERWISE} & {*form.changed_data})
        save_definition(obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        raise_catalogue_version()

    def delete_model(self, request: HttpRequest, obj: HandKeptMetric) -> None:
        remove_metrics([obj.pk], by=cast(User, request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[HandKeptMetric]) -> None:
        remove_metrics(list(queryset.values_list("pk", flat=True)), by=cast(User, request.user))
