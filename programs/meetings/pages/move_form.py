"""The form that moves one meeting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import forms

from programs.models import Meeting

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class MoveForm(forms.Form):
    """By the clock of the series."""

    day = forms.DateField(label="Day", widget=DAY)
    begins = forms.TimeField(label="From", widget=CLOCK)
    minutes = forms.IntegerField(label="Minutes", min_value=5, max_value=720)
    sequence = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def of(cls, meeting: Meeting) -> MoveForm:
        begins = meeting.starts_at.astimezone(meeting.series.zone)
        minutes = (meeting.ends_at - meeting.starts_at) // timedelta(minutes=1)
        return cls(
            initial={
                "day": begins.date(),
                "begins": begins.time(),
                "minutes": minutes,
                "sequence": meeting.sequence,
            }
        )

    def times(self, meeting: Meeting) -> tuple[datetime, datetime]:
        """Of a valid form."""
        data = self.cleaned_data
        starts_at = datetime.combine(data["day"], data["begins"], meeting.series.zone).astimezone(UTC)
        return starts_at, starts_at + timedelta(minutes=data["minutes"])
