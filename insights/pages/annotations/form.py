"""The form of a note: its text, its days, and the charts that show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from django import forms

from insights.annotations.writing import AnnotationDraft
from insights.models import Annotation
from insights.models.annotations import LONGEST_TEXT, family_of
from insights.pages.annotations.labels import about_words
from insights.ui.scope_bar import EVERYBODY
from orgtree.access.access import Access
from orgtree.trees.surroundings import Surroundings

WHOLE = ":everybody"  # in place of a unit's slug, which holds no colon
LATEST = date.max - timedelta(days=1)
FIELDS = {"text": "text", "from": "first_day", "to": "last_day", "unit": "whose", "about": "about"}


@dataclass(frozen=True)
class Offered:
    """The choices: slug of a unit (or WHOLE) → name, and metric or family (or empty) → label."""

    units: Mapping[str, str]
    abouts: Mapping[str, str]


def offered(access: Access, around: Surroundings, about: str, annotation: Annotation | None = None) -> Offered:
    """The chart's unit and its ancestors that the viewer may annotate; its metric, its family, every chart."""
    units = {unit.slug: unit.name for unit in reversed(around.path) if access.visibility.leads(unit.pk)}
    if annotation is not None and annotation.unit is not None:
        units = {annotation.unit.slug: annotation.unit.name, **units}
    if access.visibility.leads_whole or (annotation is not None and annotation.unit is None):
        units[WHOLE] = EVERYBODY
    return Offered(units, {fromkey: about_words(fromkey) for fromkey in dict.fromkeys(("", family_of(about), about))})


class NoteForm(forms.Form):
    text = forms.CharField(
        label="What happened",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": LONGEST_TEXT, "autofocus": True}),
        help_text="Everybody who sees these charts can read it. Do not name people.",
    )
    first_day = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    last_day = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Empty: only that day.",
    )
    whose = forms.ChoiceField(label="On charts of", help_text="Also on those of every unit below.")
    about = forms.ChoiceField(label="Which charts", required=False)

    def __init__(self, *args: Any, choices: Offered, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["whose"]).choices = list(choices.units.items())
        cast(forms.ChoiceField, self.fields["about"]).choices = list(choices.abouts.items())

    @property
    def draft(self) -> AnnotationDraft:
        """The draft of a valid form."""
        data = self.cleaned_data
        last_day = min(data["last_day"] or data["first_day"], LATEST)
        return AnnotationDraft(
            text=data["text"],
            start=data["first_day"],
            end=last_day + timedelta(days=1),
            unit="" if data["whose"] == WHOLE else data["whose"],
            about=data["about"],
        )


def filled_in(annotation: Annotation) -> dict[str, Any]:
    """Initial values of the form of a stored note."""
    last_day = annotation.end - timedelta(days=1)
    return {
        "text": annotation.text,
        "first_day": annotation.start,
        "last_day": None if last_day == annotation.start else last_day,
        "whose": annotation.unit.slug if annotation.unit else WHOLE,
        "about": annotation.about,
    }
