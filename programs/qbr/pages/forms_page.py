"""Creates business reviews, writes and arranges their sections, freezes, signs and reopens them."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from core.edit_conflicts import field_differences, values_of
from core.form_page import ConfirmPage, Consequences, FormTexts
from core.forms import posted, posted_number
from core.markdown import as_html
from core.views import action_view, form_view
from core.write_errors import ConflictError, FieldError
from core.write_forms import WriteForm
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from orgtree.access.who_sees import name_of
from programs.closing.services.frozen import stored_document
from programs.models import Qbr, QbrAudience, QbrDecision, QbrPeriod, QbrSection, QbrState
from programs.models.qbr import LONGEST_REASON
from programs.qbr.pages.documents import meeting_of, qbr_url
from programs.qbr.queries import decision_of
from programs.qbr.services.decisions import IS_SIGNED, add_decision, change_decision, remove_decision
from programs.qbr.services.document import QbrDocument
from programs.qbr.services.freezing import IS_DRAFT, NOT_FROZEN, freeze_qbr, reopen_qbr, sign_qbr
from programs.qbr.services.sections import SECTIONS, addable_metrics
from programs.qbr.services.writing import (
    IS_FROZEN,
    ONLY_LEADERS,
    QbrExistsError,
    arrange_sections,
    create_qbr,
    discard_qbr,
    may_write,
    write_section,
)
from programs.requests.list_pages import ProgramForm
from programs.requests.visible import account_of, visible_qbr
from programs.teams.fields import suggested_owners
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
    form = QbrForm(posted(request), initial=initial)
    offer(form, "unit", units_to_write_for(access.visibility))
    if added := form.save_by(lambda: create_qbr(access, **form.given())):
        messages.success(request, "Draft created. Its figures are live until you freeze it.")
        return redirect("qbr", added.pk)
    return render(request, "programs/qbr/new.html", {"form": form}, status=form.status)


@form_view
def qbr_section(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Saves a section; if the submitted version is outdated, shows both texts and stores nothing."""
    qbr = _own_draft(request, pk)
    section = get_object_or_404(qbr.sections, key=key)
    form = SectionForm(posted(request), instance=section)
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
    """Stores the order of sections; `place-<key>` is a section's place, from 1, and `show` the keys of the
    shown ones.
    """
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


class QbrAct(ConfirmPage, ProgramForm):
    """The page that confirms an action on a frozen review, or freezes one."""

    find = staticmethod(visible_qbr)
    list_route, record_route = "qbrs", "qbr"

    def refusal(self) -> str:
        return "" if may_write(self.access, self.record) else ONLY_LEADERS

    def form_of(self, record: Qbr, data: Any = None) -> WriteForm:
        return WriteForm(data)

    @property
    def title(self) -> str:
        return f"{self.texts.title} {self.record}"


class FreezeQbr(QbrAct):
    """Freezes a review; for a frozen one it changes nothing."""

    changing = FormTexts(
        "Freeze", "Freeze for good", "Frozen. Its figures and texts can no longer change. Sign it off to publish it."
    )
    icon, keep = "snowflake", "Keep the draft"

    def refusal(self) -> str:
        is_done = self.request.method == "GET" and self.record.is_frozen
        return super().refusal() or (IS_FROZEN if is_done else "")

    @property
    def consequences(self) -> Consequences:
        qbr, sections = self.record, list(self.record.sections.order_by("position"))
        unwritten = [str(section) for section in sections if section.is_included and not section.edited_at]
        left_out = [str(section) for section in sections if not section.is_included]
        days_to_come = (qbr.end - windows.local_today()).days
        missing = {
            f"Nothing was written in {wording.listed(unwritten)}.": unwritten,
            f"{wording.count(days_to_come, 'day')} of the period are still to come: it is marked as to date.": (
                days_to_come > 0
            ),
            f"Left out: {wording.listed(left_out)}.": left_out,
        }
        return Consequences(
            permanent=f"Every figure of {qbr.period_name}, every label and text, as they are now. Later data, formulas "
            "and reorganisations do not change it. A mistake is corrected in a new revision; this one stays readable.",
            missing=[sentence for sentence, is_missing in missing.items() if is_missing],
            readers="Its writers alone, until it is signed off for an audience.",
        )

    def save(self, form: WriteForm) -> Qbr:
        freeze_qbr(self.access, self.record)
        frozen: Qbr = self.record
        return frozen


class AudienceForm(WriteForm):
    audience = forms.ChoiceField(label="Who reads it", choices=QbrAudience.choices)


class SignQbr(QbrAct):
    """Signs a review; for a signed one it changes the audience."""

    adding = FormTexts("Sign off", "Sign off and publish", "Signed off and published")
    changing = FormTexts("Change the audience of", "Change the audience", "Its audience is changed")
    icon = "check"

    @property
    def texts(self) -> FormTexts:
        return self.changing if self.record.state == QbrState.SIGNED else self.adding

    def refusal(self) -> str:
        return super().refusal() or ("" if self.record.is_frozen else NOT_FROZEN)

    def form_of(self, record: Qbr, data: Any = None) -> WriteForm:
        return AudienceForm(data, initial={"audience": record.audience})

    @property
    def consequences(self) -> Consequences:
        document = stored_document(QbrDocument, self.record.document)
        unwritten = [section.name for section in document.sections if not section.headline and not section.commentary]
        missing = {
            f"Nothing is written in {wording.listed(unwritten)}.": unwritten,
            f"It was frozen before {document.period.name} was over.": not document.period.is_over,
            "No decision is recorded.": not self.record.decisions.exists(),
            "No meeting presents it, so it has no participants.": meeting_of(self.record, self.access) is None,
        }
        number = self.record.decisions.filter(ticket=None).count()
        tickets = f" {wording.count(number, 'decision')} become{'s' if number == 1 else ''} tickets." if number else ""
        signature = f"It stays signed off by {name_of(account_of(self.access))}, with today’s date.{tickets}"
        if self.record.signed_at is not None:
            signature = "The signature stays as it is. The audience can be changed again."
        return Consequences(
            permanent=signature,
            missing=[sentence for sentence, is_missing in missing.items() if is_missing],
            readers="Its writers, the participants of its meeting, and whom you choose below. Figures of few people "
            "stay hidden.",
        )

    def message(self, saved: Qbr) -> str:
        return f"{self.texts.saved}: {saved.get_audience_display().lower()}."

    def save(self, form: WriteForm) -> Qbr:
        return sign_qbr(self.access, self.record, audience=QbrAudience(form.cleaned_data["audience"]))


class ReopenForm(WriteForm):
    because = forms.CharField(
        label="Why is it reopened?", max_length=LONGEST_REASON, help_text="Shown on both revisions."
    )


class ReopenQbr(QbrAct):
    changing = FormTexts("Reopen", "Open a new revision", "A new revision is open. The frozen one stays as it is.")
    icon = "history"

    def refusal(self) -> str:
        return super().refusal() or ("" if self.record.is_frozen else IS_DRAFT)

    def form_of(self, record: Qbr, data: Any = None) -> WriteForm:
        return ReopenForm(data)

    @property
    def consequences(self) -> Consequences:
        qbr = self.record
        return Consequences(
            permanent=f"{qbr} stays readable at its address, with its figures, texts and SHA-256. It names the "
            "revision that follows it, and why.",
            missing=["The new revision is a draft with the same texts and today’s figures: freeze and sign it again."],
            readers="Readers of this one keep it until the new revision is signed off. Only its writers see the draft.",
        )

    def save(self, form: WriteForm) -> Qbr:
        return reopen_qbr(self.access, self.record, because=form.cleaned_data["because"])


class DecisionForm(WriteForm, forms.ModelForm[QbrDecision]):
    owner = forms.CharField(
        label="Owner",
        widget=forms.EmailInput(attrs={"list": "owners", "autocomplete": "off"}),
        help_text="By e-mail address. They own its ticket.",
    )
    field_order = ("title", "reason", "owner", "due_on")

    class Meta:
        model = QbrDecision
        fields = ("title", "reason", "due_on")
        widgets: ClassVar = {
            "reason": forms.Textarea(attrs={"rows": 4}),
            "due_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, data: Any = None, *, instance: QbrDecision | None = None) -> None:
        initial = {"owner": (instance.owner.email or "") if instance and instance.owner else ""}
        super().__init__(data, instance=instance, initial={**initial, "version": instance.version if instance else 0})


class DecisionPage(ProgramForm):
    """The form of a decision until the review is signed; `remove` in the POST deletes it."""

    template_name = "programs/qbr/decision.html"
    adding = FormTexts("New decision", "Add the decision", "Decision added.")
    changing = FormTexts("Change the decision", "Save", "Decision saved.")
    list_route = "qbrs"

    @cached_property
    def qbr(self) -> Qbr:
        return visible_qbr(self.kwargs["pk"], self.access)

    @cached_property
    def record(self) -> QbrDecision | None:
        if "decision" not in self.kwargs:
            return None
        return decision_of(self.qbr, self.kwargs["decision"])

    def refusal(self) -> str:
        if not may_write(self.access, self.qbr):
            return ONLY_LEADERS
        return IS_SIGNED if self.qbr.state == QbrState.SIGNED else ""

    def form_of(self, record: QbrDecision | None, data: Any = None) -> DecisionForm:
        return DecisionForm(data, instance=record)

    def context(self, form: Any) -> dict[str, Any]:
        return {"qbr": self.qbr, "decision": self.record, "owners": suggested_owners(self.access.visibility)}

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if self.record is None or "remove" not in request.POST:
            return super().post(request, **kwargs)
        remove_decision(self.access, self.record)
        messages.success(request, "Decision removed.")
        return redirect(qbr_url(self.qbr))

    def save(self, form: DecisionForm) -> QbrDecision:
        if self.record is None:
            return add_decision(self.access, self.qbr, form.given())
        return change_decision(self.access, self.record, form.given(), of_version=form.of_version)

    def address_of(self, record: Any) -> str:
        return qbr_url(self.qbr)


@action_view
def qbr_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Discards a draft and redirects to the list, or back to the review if it cannot be discarded."""
    qbr = visible_qbr(pk, access_in(request))
    try:
        discard_qbr(access_in(request), qbr)
    except FieldError as problem:
        messages.error(request, problem.message)
        return redirect(qbr_url(qbr))
    messages.success(request, "Draft discarded.")
    return redirect("qbrs")


def _own_draft(request: HttpRequest, pk: int) -> Qbr:
    """The draft, if the viewer may change it.  Raises Http404, and PermissionDenied if it is read-only or frozen."""
    qbr = visible_qbr(pk, access_in(request))
    if not may_write(access_in(request), qbr):
        raise PermissionDenied(ONLY_LEADERS)
    if qbr.is_frozen:
        raise PermissionDenied(IS_FROZEN)
    return qbr


def _place(request: HttpRequest, key: str) -> int:
    word = request.POST.get(f"place-{key}", "")
    return int(word) if word.isdecimal() and len(word) < 4 else 999
