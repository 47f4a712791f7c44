"""Business reviews by unit and period."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from insights.ui import wording
from programs.history.events import names_of_accounts
from programs.models import QbrState
from programs.qbr.queries import QbrFilters
from programs.requests.list_pages import ProgramList

TONES = {QbrState.SIGNED: ("good", "check"), QbrState.FROZEN: ("acc", "snowflake"), QbrState.DRAFT: ("", "writing")}


class Qbrs(ProgramList):
    plural, noun = "qbrs", "business reviews"
    filters = QbrFilters
    template_name = "programs/qbr/list.html"
    card = "programs/qbr/_table.html"

    def context(self) -> dict[str, Any]:
        context, may_write = super().context(), self.access.visibility.leads_any and self.access.is_of_account
        listed = self.narrowed.visible(self.access)
        units = listed.exclude(unit=None).order_by("unit__name").values_list("unit__slug", "unit__name").distinct()
        starts = listed.order_by("-start").values_list("start", flat=True).distinct()
        return {
            **context,
            "names": names_of_accounts([qbr.signed_by_id for qbr in context["rows"]]),
            "tones": TONES,
            "menus": [
                self._menu("unit", "Unit", "Any unit", units),
                self._menu("start", "Begins on", "Any day", [(str(day), wording.day(day)) for day in starts]),
            ],
            "chosen": [(name, value) for name, value in self.params.items() if name in ("period", "state")],
            "new_url": reverse("qbr_new") if may_write else "",
        }

    def _menu(self, name: str, label: str, any_label: str, options: Iterable[tuple[str, str]]) -> dict[str, Any]:
        return {
            "name": name,
            "label": label,
            "options": [("", any_label), *options],
            "chosen": self.params.get(name, ""),
        }
