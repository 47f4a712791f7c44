"""The executive report as a page, a presentation, a PDF and Markdown; and freezing it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify

from core.browser_print import PrintingError
from core.form_page import ConfirmPage, Consequences, FormTexts
from core.page_links import Picker, url_with
from core.views import page_view, record_view
from core.write_forms import WriteForm
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import scope_bar, scope_navigation, unit_name
from insights.ui.wording import moment
from programs.closing.pages.printing import pdf_of, printable_page
from programs.history.events import names_of_accounts
from programs.models import LanguageModel, Report, ReportRewrite
from programs.report.links import Links
from programs.report.queries import ReportChoice, chosen_report, document_of, earlier_of, quarters_offered, rewrite_of
from programs.report.services.document import ReportDocument
from programs.report.services.freezing import ONLY_LEADERS, freeze_report, may_freeze
from programs.report.services.markdown import as_markdown
from programs.report.services.rewriting import OFF, request_of, request_rewrite
from programs.requests.list_pages import ProgramForm

BUILT_IN = "built-in"
EFFORT_LABELS = {"small": "Small effort", "medium": "Medium effort", "large": "Large effort"}
JUDGEMENTS = {"better": ("Better", "good"), "worse": ("Worse", "bad"), "steady": ("No change", "")}


@dataclass(frozen=True)
class ReportView:
    """A report with everything that its sheets and their footers print."""

    document: ReportDocument
    unit: str
    days: str
    stamp: str
    frozen_by: str
    links: Links

    @property
    def is_frozen(self) -> bool:
        return self.document.frozen_at is not None

    @property
    def title(self) -> str:
        to_date = "" if self.document.quarter.is_over else " to date"
        return f"Executive report, {self.document.quarter.name}{to_date}"

    @property
    def about(self) -> str:
        """The report's subject: Whole organisation · 214 people · 1 Jul – 30 Sep 2026."""
        people = self.document.people
        return " · ".join(
            filter(None, (self.unit, wording.count(people, "person", "people") if people else "", self.days))
        )

    @property
    def efforts(self) -> Mapping[str, str]:
        return EFFORT_LABELS

    @property
    def judgements(self) -> Mapping[str, tuple[str, str]]:
        return JUDGEMENTS

    @property
    def caveat(self) -> str:
        """The first caveat, for the foot of the first sheet."""
        first = next(iter(self.document.caveats), None)
        return str(first.title) if first else ""


def view_of(document: ReportDocument, choice: ReportChoice, *, is_printed: bool = False) -> ReportView:
    names = names_of_accounts([document.frozen_by])
    stamp = f"Frozen {moment(document.frozen_at)}" if document.frozen_at else "Live figures"
    return ReportView(
        document=document,
        unit=unit_name(document.unit),
        days=wording.days(document.quarter.window),
        stamp=stamp if document.revision < 2 else f"{stamp}, revision {document.revision}",
        frozen_by=names[document.frozen_by] if document.frozen_at else "",
        links=Links(document, choice.unit, is_printed=is_printed),
    )


def _choice(request: HttpRequest) -> tuple[ReportChoice, Filters]:
    """The report that the address names.  Raises FieldError."""
    filters = filters_of(request, facets=())
    choice = chosen_report(
        replace(filters.scope, where={}),
        request.GET.get("quarter", ""),
        access_in(request),
        windows.local_today(),
        revision=request.GET.get("revision", ""),
    )
    return choice, filters


def _read(request: HttpRequest) -> tuple[ReportChoice, Filters, ReportView]:
    choice, filters = _choice(request)
    texts = _texts(rewrite_of(choice), request)
    document = document_of(choice, access_in(request), windows.local_today(), texts=texts)
    return choice, filters, view_of(document, choice)


def _texts(found: ReportRewrite | None, request: HttpRequest) -> Mapping[str, str]:
    """The accepted wording of a model, unless the address asks for the built-in one."""
    return found.texts if found and found.is_accepted and request.GET.get("wording") != BUILT_IN else {}


def _address(route: str, choice: ReportChoice, **more: object) -> str:
    return url_with(reverse(route), {**choice.parameters, **more})


@record_view
def report(request: HttpRequest) -> HttpResponseBase:
    """The report; `quarter` is one such as 2026-Q3, by default the latest that is over; `revision` a frozen one, or
    live.
    """
    choice, filters, view = _read(request)
    access, today = access_in(request), windows.local_today()
    around = scope_navigation(request, filters)
    earlier, found = earlier_of(choice, access), rewrite_of(choice)
    may_rewrite = choice.report and may_freeze(access, choice.unit) and LanguageModel.current().is_usable
    quarters = [
        Picker(name, url_with(reverse("report"), {"unit": filters.scope.unit, "quarter": name}), name == choice.name)
        for name in quarters_offered(today)
    ]
    context = {
        "report": view,
        "choice": choice,
        "scope": scope_bar(filters, around, {}, reverse("report"), extra_params={"quarter": choice.name}),
        "quarters": quarters,
        "earlier_url": url_with(reverse("report"), {"unit": filters.scope.unit, "quarter": choice.name_before})
        if earlier
        else "",
        "earlier": earlier,
        "revisions": _revisions(choice),
        "freeze_url": _address("report_freeze", choice, after=choice.newest) if may_freeze(access, choice.unit) else "",
        "rewrite": found,
        "is_worded": bool(_texts(found, request)),
        "other_wording_url": _address("report", choice, wording=BUILT_IN if _texts(found, request) else ""),
        "rewrite_url": _address("report_rewrite", choice) if may_rewrite else "",
        "pdf_url": _address("report_pdf", choice, wording=request.GET.get("wording", "")),
        "markdown_url": _address("report_markdown", choice, wording=request.GET.get("wording", "")),
        "present_url": _address("report_present", choice, wording=request.GET.get("wording", "")),
    }
    return render(request, "programs/report/report.html", context)


def _revisions(choice: ReportChoice) -> Sequence[Picker]:
    """The frozen revisions and the live one; empty if none is frozen."""
    if not choice.newest:
        return ()
    numbers = range(choice.newest, 0, -1)
    shown = choice.report.revision if choice.report else 0
    return [
        *(
            Picker(
                f"Revision {number}", _address("report", replace(choice, report=None), revision=number), number == shown
            )
            for number in numbers
        ),
        Picker("Live figures", _address("report", replace(choice, report=None), revision="live"), not shown),
    ]


@record_view
def report_present(request: HttpRequest) -> HttpResponseBase:
    choice, _, view = _read(request)
    return render(request, "programs/report/present.html", {"report": view, "back_url": _address("report", choice)})


@record_view
def report_pdf(request: HttpRequest) -> HttpResponseBase:
    """The sheets as this viewer sees them, printed by the server's browser."""
    choice, _, view = _read(request)
    view = view_of(view.document, choice, is_printed=True)
    try:
        return pdf_of(printable_page("programs/report/print.html", {"report": view}), file_name(view))
    except PrintingError as problem:
        messages.warning(request, str(problem))
        return redirect(_address("report", choice))


@page_view
def report_markdown(request: HttpRequest) -> HttpResponseBase:
    _, _, view = _read(request)
    response = HttpResponse(
        as_markdown(view.document, view.links.of_whole), content_type="text/markdown; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{file_name(view)}.md"'
    return response


def file_name(view: ReportView) -> str:
    unit = view.document.unit
    name = f"report-{unit.slug if unit else 'organisation'}-{view.document.quarter.name}"
    return slugify(name if view.document.revision < 2 else f"{name}-revision-{view.document.revision}")


class RewriteReport(ConfirmPage, ProgramForm):
    """Asks a model for a rewording: a GET shows the complete body to be sent; a POST sends it."""

    template_name = "programs/report/rewrite.html"
    adding = FormTexts("Word the report by a language model", "Send and check", "")
    list_route = "report"
    icon, keep = "sparkles", "Keep the built-in texts"

    @cached_property
    def choice(self) -> ReportChoice:
        return _choice(self.request)[0]

    @property
    def report(self) -> Report:
        """The frozen report; without one the page is refused."""
        return cast(Report, self.choice.report)

    def refusal(self) -> str:
        if self.choice.report is None:
            return "Freeze the report first: only texts that no longer change can be worded."
        if not LanguageModel.current().is_usable:
            return OFF
        return "" if may_freeze(self.access, self.choice.unit) else ONLY_LEADERS

    def form_of(self, record: None, data: Any = None) -> WriteForm:
        return WriteForm(data)

    def context(self, form: Any) -> Mapping[str, Any]:
        sent = json.dumps(request_of(self.report), indent=2, ensure_ascii=False)
        return {"model": LanguageModel.current(), "sent": sent, "icon_name": self.icon, "keep": self.keep}

    def save(self, form: WriteForm) -> ReportRewrite:
        return request_rewrite(self.access, self.report)

    def message(self, saved: ReportRewrite) -> str:
        return f"{saved.model} is asked. The report says here what came of it."

    def address_of(self, record: Any) -> str:
        return url_with(reverse("report"), self.choice.parameters)


class FreezeReport(ConfirmPage, ProgramForm):
    """Freezes the report; `after` is the newest revision when the page was opened, so that submitting twice freezes
    once.
    """

    adding = FormTexts("Freeze the executive report", "Freeze", "Frozen. Its figures and texts can no longer change.")
    list_route = "report"
    icon, keep = "snowflake", "Keep the live figures"

    @property
    def choice(self) -> ReportChoice:
        choice, _ = _choice(self.request)
        return choice

    def refusal(self) -> str:
        return "" if may_freeze(self.access, self.choice.unit) else ONLY_LEADERS

    def form_of(self, record: None, data: Any = None) -> WriteForm:
        return WriteForm(data)

    @property
    def title(self) -> str:
        return f"Freeze the executive report: {unit_name(self.choice.unit)}, {self.choice.name}"

    @property
    def consequences(self) -> Consequences:
        days_to_come = (self.choice.quarter.end - windows.local_today()).days
        missing = []
        if days_to_come > 0:
            missing.append(f"{wording.count(days_to_come, 'day')} of the quarter are still to come.")
        if self.choice.newest:
            missing.append(f"Revision {self.choice.newest} stays readable; this one follows it.")
        return Consequences(
            permanent="Every figure, text and recommendation, as they are now, with a SHA-256. Later data and formulas "
            "do not change them.",
            missing=missing,
            readers="Everybody who may see the unit. Figures of few people stay hidden from them.",
        )

    def save(self, form: WriteForm) -> Report:
        after = self.request.GET.get("after", "")
        number = int(after) if after.isascii() and after.isdigit() and len(after) < 4 else self.choice.newest
        return freeze_report(self.access, self.choice.unit, self.choice.quarter, after=min(number, self.choice.newest))

    def address_of(self, record: Report | None) -> str:
        return url_with(reverse("report"), self.choice.parameters)
