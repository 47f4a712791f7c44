"""Generic pages for accounts: the form of one record, to add it or, with `pk` in the address, to change it; and the
page before an act that nobody can undo.

The template has `form`, `title`, `submit`, `back_url` and `action`; `components/edit_conflict.html` shows a conflict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from core.edit_conflicts import Difference, field_differences, values_of
from core.views import form_view


class FormTexts(NamedTuple):
    title: str
    submit: str  # the button
    saved: str  # the message after saving


class FormPage(View):
    """GET shows the form; POST saves the submitted data and redirects to the record, or shows the form with its
    errors.
    """

    template_name: ClassVar[str]
    adding: ClassVar[FormTexts]
    changing: ClassVar[FormTexts]
    list_route: ClassVar[str]
    record_route: ClassVar[str] = ""  # without it saving leads to the list
    # As in core/api/resources.py: of key and access, of access and fields, and of access, record and fields.
    find: ClassVar[staticmethod[[Any, Any], Any]]
    add: ClassVar[staticmethod[[Any, Mapping[str, Any]], Any]]
    change: ClassVar[staticmethod[..., Any]]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        return form_view(super().as_view(**initkwargs))

    @property
    def access(self) -> Any:
        """The viewer's access."""
        raise NotImplementedError

    def form_of(self, record: Any, data: Any = None) -> Any:
        """The `WriteForm` of a record, or of a new one (None), with the submitted data."""
        raise NotImplementedError

    def refusal(self) -> str:
        """The reason why the viewer may not write the record; empty if they may."""
        raise NotImplementedError

    @cached_property
    def record(self) -> Any:
        """The record to change, or None.  Raises Http404."""
        return self.find(self.kwargs["pk"], self.access) if "pk" in self.kwargs else None

    @property
    def texts(self) -> FormTexts:
        return self.adding if self.record is None else self.changing

    @property
    def title(self) -> str:
        return self.texts.title

    def message(self, saved: Any) -> str:
        return self.texts.saved

    def differences(self, form: Any, stored: Any) -> Iterable[Difference]:
        """The form's differences from the version that somebody else saved first."""
        return field_differences(form, values_of(self.form_of(stored)))

    def context(self, form: Any) -> Mapping[str, Any]:
        """Additional context for the template."""
        return {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if refusal := self.refusal():
            raise PermissionDenied(refusal)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.page(self.form_of(self.record))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form_of(self.record, request.POST)
        saved = form.save_by(lambda: self.save(form), lambda stored: self.differences(form, stored))
        if saved is None:
            return self.page(form)
        messages.success(request, self.message(saved))
        return redirect(self.address_of(saved))

    def save(self, form: Any) -> Any:
        if self.record is None:
            return self.add(self.access, form.given())
        return self.change(self.access, self.record, form.given(), of_version=form.of_version)

    def address_of(self, record: Any) -> str:
        """The record's page; without a record the list."""
        has_page = self.record_route and record is not None
        return reverse(self.record_route, args=[record.pk]) if has_page else reverse(self.list_route)

    def page(self, form: Any) -> HttpResponse:
        context = {
            **{"form": form, "title": self.title, "submit": self.texts.submit},
            **{"back_url": self.address_of(self.record), "action": self.request.get_full_path()},
            **self.context(form),
        }
        return render(self.request, self.template_name, context, status=form.status)


@dataclass(frozen=True)
class Consequences:
    """Three answers before the act, each in sentences; nothing is missing if `missing` is empty."""

    permanent: str
    missing: Sequence[str]
    readers: str


class ConfirmPage(FormPage):
    """GET explains the consequences for the record of the URL; POST acts, and redirects to the record.

    A page that shows more than that before the act includes `components/consequences.html` beside its own button.
    """

    template_name = "components/confirm_page.html"
    icon: ClassVar[str] = "lock"  # of the button
    keep: ClassVar[str] = "Cancel"  # the way back

    @property
    def consequences(self) -> Consequences:
        raise NotImplementedError

    def context(self, form: Any) -> Mapping[str, Any]:
        return {"consequences": self.consequences, "icon_name": self.icon, "keep": self.keep}
