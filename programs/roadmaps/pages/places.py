"""Places on the roadmap: the form for a unit and quarter, and the way back to the roadmap."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from core.write_forms import WriteForm
from orgtree.models.visibility import Visibility
from programs.models import Objective, Quarter, RoadmapIntent
from programs.quarters.fiscal_quarters import quarter_at
from programs.quarters.pages import Quarters
from programs.teams.pages import WHOLE, offer, units_to_write_for, word_of


class PlaceForm(WriteForm):
    """A place on the roadmap: a unit and an open quarter."""

    unit = forms.ChoiceField(label="Team or unit")
    quarter = forms.ChoiceField(label="Quarter")

    def __init__(
        self,
        *args: Any,
        visibility: Visibility,
        known: Quarters,
        stored: Objective | RoadmapIntent | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.open = {quarter.start.isoformat(): quarter for quarter in known.open()}
        offer(self, "unit", units_to_write_for(visibility, stored=stored))
        offer(self, "quarter", [(start, str(quarter)) for start, quarter in self.open.items()])

    @property
    def chosen_unit(self) -> str | None:
        """The chosen unit's slug; None for the whole organisation."""
        unit: str = self.cleaned_data["unit"]
        return None if unit == WHOLE else unit

    @property
    def chosen_quarter(self) -> Quarter:
        return quarter_at(self.open[self.cleaned_data["quarter"]].start)

    @property
    def place(self) -> str:
        """The place in words, such as "Platform, 2026-Q4"."""
        units = dict(self.fields["unit"].choices)  # type: ignore[attr-defined]
        return f"{units[self.cleaned_data['unit']].strip()}, {self.open[self.cleaned_data['quarter']]}"


def place_of(card: Objective | RoadmapIntent) -> dict[str, str]:
    return {
        "unit": word_of(card.unit),
        "quarter": card.quarter.start.isoformat(),
        "version": str(card.version),
    }


def safe_back(request: HttpRequest) -> str:
    """The roadmap that the viewer came from, as given by the address or the form."""
    back = request.POST.get("back", "") or request.GET.get("back", "")
    if back and url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=False):
        return back
    return reverse("roadmap")


def back_to_roadmap(request: HttpRequest, key: str) -> HttpResponse:
    """Redirect to the card on the roadmap."""
    return redirect(f"{safe_back(request)}{'#' + key if key else ''}")
