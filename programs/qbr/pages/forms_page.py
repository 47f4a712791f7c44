"""Creates business reviews, writes and arranges their sections, freezes them and signs them off."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from core.edit_conflicts import field_differences, values_of
from core.forms import posted_number
from core.markdown import as_html
from core.write_errors import ConflictError, FieldError
from core.write_forms import WriteForm
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui.views import action_view, form_view
from orgtree.access.access import Access
from programs.models import Qbr, QbrAudience, QbrPeriod, QbrSection
from programs.qbr.pages.documents import qbr_url
from programs.qbr.services.freezing import freeze_qbr, sign_qbr
from programs.qbr.services.sections import SECTIONS, addable_metrics
from programs.qbr.services.writing import (
    ONLY_LEADERS,
    QbrExistsError,
    arrange_sections,
    create_qbr,
    discard_qbr,
    may_write,
    write_section,
)
from programs.requests.visible import visible_qbr
from programs.teams.pages import WHOLE, UnitForm, offer, units_to_write_for

ARRANGED = "Somebody arranged the sections in the meantime. This is the new order: arrange it again."


class QbrForm(UnitForm):
    existing: Qbr | None = None  # of that unit and period
    period = forms.ChoiceField(label="Period", choices=QbrPeriod.choices, initial=QbrPeriod.QUARTER)
    day = forms.DateField(
        label="Any date in the period",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The QBR covers the whole month or fiscal quarter of that date.",
    )

    def show(self, problem: FieldError) -> None:
        if isinstance(problem, QbrExistsError):
            self.existing = problem.qbr
            problem = FieldError("", problem.message)
        super().show(problem)


class SectionForm(WriteForm, forms.ModelForm[QbrSection]):
    metrics = forms.MultipleChoiceField(
        label="Further metrics",
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 6}),
        help_text="Up to four, shown beside the section’s own metrics.",
    )

    class Meta:
        model = QbrSection
        fields = ("headline", "commentary")
        widgets: ClassVar = {"commentary": forms.Textarea(attrs={"rows": 12})}

    def __init__(self, data: Any = None, *, instance: QbrSection) -> None:
        super().__init__(data, instance=instance, initial={"metrics": instance.metrics, "version": instance.version})
        own, known = SECTIONS[instance.key].metrics, addable_metrics()
        gone = [(key, f"{key}, which no longer exists") for key in instance.metrics if key not in known]
        offer(self, "metrics", [*gone, *((key, f"{name} ({key})") for key, name in known.items() if key not in own)])


@form_view
def qbr_new(request: HttpRequest) -> HttpResponse:
    access = access_in(request)
    if not access.visibility.leads_any:
        raise PermissionDenied(ONLY_LEADERS)
    initial = {"day": windows.local_today(), "unit": WHOLE if access.visibility.leads_whole else ""}
    form = QbrForm(request.POST if request.method == "POST" else None, initial=initial)
    offer(form, "unit", units_to_write_for(access.visibility))
    if added := form.save_by(lambda: create_qbr(access, **form.given())):
        messages.success(request, "Draft created. Its figures are live until you freeze it.")
        return redirect("qbr", added.pk)
    return render(request, "programs/qbr/new.html", {"form": form}, status=form.status)


@form_view
def qbr_section(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """A save of an outdated version is answered with both texts and stores nothing."""
    qbr = _own_draft(request, pk)
    section = get_object_or_404(qbr.sections, key=key)
    form = SectionForm(request.POST if request.method == "POST" else None, instance=section)
    preview = ""
    if "preview" in request.POST:
        preview = as_html(form.cleaned_data["commentary"]) if form.is_valid() else ""
    elif form.save_by(
        lambda: write_section(access_in(request), qbr, key, form.given(), of_version=form.of_version),
        lambda stored: field_differences(form, values_of(SectionForm(instance=stored))),
    ):
        messages.success(request, f"{section.get_key_display()} saved.")
        return redirect(f"{qbr_url(qbr)}#{key}")
    context = {
        "qbr": qbr,
        "section": section,
        "prompt": SECTIONS[key].prompt,
        "form": form,
        "preview": preview,
        "back_url": f"{qbr_url(qbr)}#{key}",
    }
    return render(request, "programs/qbr/section.html", context, status=form.status)


@form_view
def qbr_arrange(request: HttpRequest, pk: int) -> HttpResponse:
    """`place-<key>` is a section's place, from 1; `show` are the keys of those that are shown."""
    qbr = _own_draft(request, pk)
    problem, status = "", 200
    if request.method == "POST":
        order = sorted(qbr.sections.values_list("key", flat=True), key=lambda key: _place(request, key))
        try:
            arrange_sections(
                access_in(request),
                qbr,
                order,
                request.POST.getlist("show"),
                of_version=posted_number(request, "version"),
            )
        except ConflictError:
            problem, status = ARRANGED, 409
        except FieldError as refused:
            problem, status = refused.message, 400
        else:
            messages.success(request, "Sections arranged.")
            return redirect(qbr_url(qbr))
        qbr.refresh_from_db()
    sections = list(qbr.sections.order_by("position"))
    context = {"qbr": qbr, "sections": sections, "problem": problem, "back_url": qbr_url(qbr)}
    return render(request, "programs/qbr/arrange.html", context, status=status)


@form_view
def qbr_freeze(request: HttpRequest, pk: int) -> HttpResponse:
    """What freezing makes permanent, and what is missing; a POST freezes.  Freezing a frozen one changes nothing."""
    if request.method == "POST":
        done = "Frozen. Its figures and texts can no longer change. Sign it off to publish it."
        return _change(request, pk, freeze_qbr, done, refused="It is not frozen: ")
    qbr = _own_draft(request, pk)
    sections = list(qbr.sections.order_by("position"))
    context = {
        "qbr": qbr,
        "unwritten": [str(section) for section in sections if section.is_included and not section.edited_at],
        "left_out": [str(section) for section in sections if not section.is_included],
        "days_to_come": max(0, (qbr.end - windows.local_today()).days),
        "back_url": qbr_url(qbr),
    }
    return render(request, "programs/qbr/freeze.html", context)


class AudienceForm(forms.Form):
    audience = forms.ChoiceField(label="Who reads it", choices=QbrAudience.choices, initial=QbrAudience.UNIT)


@action_view
def qbr_sign(request: HttpRequest, pk: int) -> HttpResponse:
    form = AudienceForm(request.POST)
    audience = QbrAudience(form.cleaned_data["audience"]) if form.is_valid() else QbrAudience.UNIT
    done = f"Signed off and published: {audience.label.lower()}."
    return _change(request, pk, partial(sign_qbr, audience=audience), done)


@action_view
def qbr_discard(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, discard_qbr, "Draft discarded.")


def _change(
    request: HttpRequest, pk: int, change: Callable[[Access, Qbr], object], done: str, *, refused: str = ""
) -> HttpResponse:
    """Back to the review, with what was done or why it was refused; to the list where it is gone."""
    qbr = visible_qbr(pk, access_in(request))
    try:
        change(access_in(request), qbr)
    except FieldError as problem:
        messages.error(request, f"{refused}{problem.message}")
    else:
        messages.success(request, done)
    return redirect(qbr_url(qbr) if Qbr.objects.filter(pk=pk).exists() else reverse("qbrs"))


def _own_draft(request: HttpRequest, pk: int) -> Qbr:
    """Raises Http404, and PermissionDenied for one that the viewer only reads or that is frozen."""
    qbr = visible_qbr(pk, access_in(request))
    if not may_write(access_in(request), qbr):
        raise PermissionDenied(ONLY_LEADERS)
    if qbr.is_frozen:
        raise PermissionDenied("This review is frozen: its figures and texts can no longer change.")
    return qbr


def _place(request: HttpRequest, key: str) -> int:
    word = request.POST.get(f"place-{key}", "")
    return int(word) if word.isdecimal() and len(word) < 4 else 999
