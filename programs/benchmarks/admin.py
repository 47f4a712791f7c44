"""Read-only admin of benchmarks: every version is a row of its own, with its reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.admin_permissions import ReadOnly
from core.page_links import address, url_with
from programs.models import BenchmarkVersion


@admin.register(BenchmarkVersion)
class BenchmarkAdmin(ReadOnly, admin.ModelAdmin[BenchmarkVersion]):
    list_display = ("metric", "unit", "number", "threshold", "target", "reason", "written_by", "written_at")
    list_filter = ("period", "better", "is_to_hold", ("unit", admin.EmptyFieldListFilter))
    list_select_related = ("unit", "written_by")
    search_fields = ("metric", "unit__name", "unit__slug", "reason")
    date_hierarchy = "written_at"
    ordering = ("metric", "unit__name", "-number")
    fields = readonly_fields = (
        *("metric", "unit", "number", "statistic", "period", "better", "baseline", "baseline_from", "baseline_to"),
        *("threshold", "target", "is_to_hold", "reason", "written_by", "written_at", "versions"),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Benchmarks", **(extra_context or {})})

    @admin.display(description="history")
    def versions(self, benchmark: BenchmarkVersion) -> SafeString:
        """The list of all versions of this benchmark."""
        query = [("q", benchmark.metric), *([("unit__id__exact", benchmark.unit_id)] if benchmark.unit_id else [])]
        every = url_with(address("admin:programs_benchmarkversion_changelist"), query)
        return format_html('<a href="{}">All versions</a>', every)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "unit__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]
