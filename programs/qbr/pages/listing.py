"""Business reviews by unit and period."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

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
        form = self.narrowed.form
        return {
            **context,
            "names": names_of_accounts([qbr.signed_by_id for qbr in context["rows"]]),
            "tones": TONES,
            "fields": [form["unit"], form["start"]],
            "chosen": [(name, value) for name, value in self.params.items() if name in ("period", "state")],
            "new_url": reverse("qbr_new") if may_write else "",
        }
