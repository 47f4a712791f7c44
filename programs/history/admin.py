"""Program records in Django admin: searchable lists with history; records are changed on their own pages."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.admin_permissions import ReadOnly
from core.authorship import account_of
from orgtree.access.who_sees import names_of
from programs.history.events import events_of

OF_HISTORY = "pgh_"
UNTOUCHED = frozenset({"version"})  # counts the changes


class ProgramRecordAdmin(ReadOnly, admin.ModelAdmin[Any]):
    """`page_name` is the name of the record's page, `title` that of the list.

    The history says who changed which fields and when; the texts stay on the record's page, which decides who may see
    them.
    """

    page_name: str
    title: str

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*(name for name in self.list_display if name != "__str__"), "page", "changes")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.get_fields(request, obj)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": self.title, **(extra_context or {})})

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Redirects to the record's own page in admin, which shows the changes."""
        return redirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id]))

    @admin.display(description="page")
    def page(self, record: Model) -> SafeString:
        return format_html('<a href="{}">Open</a>', reverse(self.page_name, args=[record.pk]))

    @admin.display(description="history")
    def changes(self, record: Model) -> SafeString | str:
        """The changes with author and time, newest first."""
        events = events_of(f"{self.opts.object_name}Event", pgh_obj=record.pk)
        accounts = {account for event in events if (account := account_of(event)) is not None}
        names = names_of(list(User.objects.filter(pk__in=accounts)))

        def line(event: Any, words: str) -> tuple[str, str, str]:
            at = date_format(timezone.localtime(event.pgh_created_at), "DATETIME_FORMAT")
            return at, names.get(account_of(event) or 0, "Headway"), words

        lines = [line(event, "written") for event in events[:1]]
        for earlier, later in pairwise(events):
            if changed := self._changed(earlier, later):
                lines.append(line(later, f"changed {changed}"))
        return format_html_join("", "<div>{}, {}: {}</div>", reversed(lines)) or "Nothing yet."

    def _changed(self, earlier: Any, later: Any) -> str:
        names = [field.name for field in later._meta.concrete_fields if not field.name.startswith(OF_HISTORY)]
        attributes = {name: later._meta.get_field(name).attname for name in names if name not in UNTOUCHED}
        return ", ".join(
            self._words(name)
            for name, attribute in attributes.items()
            if getattr(earlier, attribute) != getattr(later, attribute)
        )

    def _words(self, name: str) -> str:
        try:
            return str(getattr(self.opts.get_field(name), "verbose_name", name))
        except FieldDoesNotExist:
            return name.replace("_", " ")
