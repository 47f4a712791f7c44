"""Meetings of a unit and all units below it, upcoming or past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse

from core.list_page import Chip
from core.page_links import url_with
from programs.meetings.queries.meetings import MeetingFilters
from programs.meetings.services.records import MeetingRecord, records_of
from programs.models import Meeting
from programs.requests.list_pages import UnitList


class Meetings(UnitList):
    plural = "meetings"
    filters = MeetingFilters
    template_name = "programs/meetings/list.html"
    card = "programs/meetings/_table.html"
    defaults = {"when": "upcoming"}
    own = ("when",)
    of_any_unit = ("mine",)

    def rows(self, records: Iterable[Meeting]) -> list[tuple[Meeting, MeetingRecord | None]]:
        meetings = [*records]
        documents: Mapping[int, MeetingRecord] = records_of(meetings, self.access.visibility)
        return [(meeting, documents.get(meeting.pk)) for meeting in meetings]

    def context(self) -> dict[str, Any]:
        return {
            **super().context(),
            "is_past": self.narrowed.chosen["when"] == "past",
            "may_schedule": self.access.visibility.leads_any,
            "new_url": url_with(reverse("meeting_series_new"), {"unit": self.unit}),
        }

    def chips(self) -> list[Chip]:
        """No chips for an account without a person."""
        is_person = self.access.visibility.person_id is not None
        return [self.switch("mine", "My meetings", "user-check")] if is_person else []
