"""The hand-kept metrics, the templates that are not in use, and the form that defines or changes a metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from core.edit_conflicts import field_differences
from core.forms import posted
from core.page_links import url_with
from core.views import form_view, page_view
from core.write_forms import WriteForm
from insights.privacy.scope_access import access_in
from insights.ui import wording
from integrations.hand_kept.definitions import (
    WHO_DEFINES,
    address_of,
    change_metric,
    define_metric,
    keeper_addresses,
    may_define,
)
from integrations.hand_kept.templates import TEMPLATES
from integrations.models import HandKeptMetric, HandKeptValue
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of


@page_view
def hand_kept(request: HttpRequest) -> HttpResponse:
    access = access_in(request)
    lines = _lines(access)
    is_definer = may_define(access)
    context = {
        "lines": lines,
        "templates": _templates({line["metric"].slug for line in lines}) if is_definer else [],
        "may_define": is_definer,
    }
    return render(request, "insights/hand_kept/list.html", context)


def _lines(access: Access) -> list[dict[str, Any]]:
    """The lines of the list; three queries, regardless of their number."""
    metrics = list(HandKeptMetric.objects.prefetch_related("keepers"))
    names = names_of({account for metric in metrics for account in cast(Sequence[User], metric.keepers.all())})
    visible = HandKeptValue.objects.within(access.visibility).order_by("metric", "-day").distinct("metric")
    latest = dict(visible.values_list("metric", "day"))
    return [
        {
            "metric": metric,
            "keepers": ", ".join(sorted(names[account.pk] for account in cast(Sequence[User], metric.keepers.all()))),
            "latest": wording.day(latest[metric.pk]) if metric.pk in latest else "",
        }
        for metric in metrics
    ]


def _templates(in_use: set[str]) -> list[dict[str, Any]]:
    """Templates without a metric."""
    return [
        {
            "name": template.name,
            "meaning": template.meaning,
            "unit_of_measure": template.get_unit_of_measure_display(),
            "url": url_with(reverse("hand_kept_new"), {"template": slug}),
        }
        for slug, template in TEMPLATES.items()
        if slug not in in_use
    ]


class MetricForm(WriteForm, forms.ModelForm[HandKeptMetric]):
    keepers = forms.CharField(
        label="Kept by",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=(
            "E-mail addresses of accounts, one per line. These accounts can enter values for every unit and for the "
            "whole organisation. Managers can enter values of their units; executives and admins, all values."
        ),
    )

    class Meta:
        model = HandKeptMetric
        fields = ("name", "slug", "meaning", "unit_of_measure", "better", "valid_days")
        labels: ClassVar = {"slug": "Key"}
        widgets: ClassVar = {"meaning": forms.Textarea(attrs={"rows": 2})}

    def given(self) -> dict[str, Any]:
        given = super().given()
        return {**given, "keepers": given["keepers"].splitlines()}


@form_view
def hand_kept_new(request: HttpRequest) -> HttpResponse:
    """The form of a new metric; `template` in the address fills it in."""
    access = access_in(request)
    if not may_define(access):
        raise PermissionDenied(WHO_DEFINES)
    named = request.GET.get("template", "")
    if named and named not in TEMPLATES:
        raise Http404("There is no such template.")
    initial = _filled_in(TEMPLATES[named], [address_of(cast(User, request.user))]) if named else {}
    form = MetricForm(posted(request), initial=initial)
    page = {"title": "New hand-kept metric", "submit": "Create metric", "back_url": reverse("hand_kept")}
    if metric := form.save_by(lambda: define_metric(access, form.given())):
        messages.success(request, f"{metric.name} is in the catalogue. Enter its first value.")
        return redirect("hand_kept_values", metric.slug)
    return _form_page(request, form, page)


@form_view
def hand_kept_edit(request: HttpRequest, slug: str) -> HttpResponse:
    access, metric = access_in(request), get_object_or_404(HandKeptMetric, slug=slug)
    if not may_define(access):
        raise PermissionDenied(WHO_DEFINES)
    back_url = reverse("hand_kept_values", args=[slug])
    page = {"title": f"Change {metric.name}", "submit": "Save", "back_url": back_url}
    form = MetricForm(posted(request), initial=_stored(metric))
    if form.save_by(
        lambda: change_metric(access, metric, form.given(), of_version=form.of_version),
        lambda stored: field_differences(form, _stored(stored)),
    ):
        messages.success(request, "Metric saved.")
        return redirect(back_url)
    return _form_page(request, form, page)


def _stored(metric: HandKeptMetric) -> dict[str, Any]:
    return {**_filled_in(metric, keeper_addresses(metric)), "version": metric.version}


def _filled_in(metric: HandKeptMetric, keepers: Sequence[str]) -> dict[str, Any]:
    return {**forms.model_to_dict(metric, MetricForm.Meta.fields), "keepers": "\n".join(keepers)}


def _form_page(request: HttpRequest, form: MetricForm, context: dict[str, Any]) -> HttpResponse:
    page = {**context, "form": form, "action": request.get_full_path()}
    return render(request, "insights/hand_kept/form.html", page, status=form.status)
