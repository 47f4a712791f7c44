"""Meetings and series as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.model_serializers import BodySerializer, ReadSerializer
from orgtree.access.access import Access
from programs.meetings.services.fields import WRITTEN, ParticipantsField
from programs.meetings.services.records import MeetingRecord, records_of
from programs.models import Meeting, MeetingParticipant, MeetingSeries
from programs.teams.fields import LedUnitField


class MeetingRecordSerializer(serializers.Serializer[object]):
    """The review or QBR of a meeting."""

    title = serializers.CharField()
    url = serializers.CharField()
    is_signed = serializers.BooleanField()


class MeetingSerializer(ReadSerializer[Meeting]):
    title = serializers.CharField(source="series.title")
    kind = serializers.CharField(source="series.kind", help_text="review or qbr.")
    unit = LedUnitField("Meetings", source="series.unit", help_text="Slug; null: the whole organisation.")
    time_zone = serializers.CharField(source="series.time_zone")
    location = serializers.SerializerMethodField(help_text="Null for those who see title and time alone.")
    participants = serializers.SerializerMethodField(help_text="E-mail addresses; null as above.")
    record = serializers.SerializerMethodField(help_text="Null: none yet, or not yours to see.")

    class Meta:
        model = Meeting
        fields = (
            *("id", "uid", "sequence", "series", "kind", "unit", "title", "starts_at", "ends_at", "time_zone"),
            *("period_start", "period_end", "state", "cancelled_why", "location", "participants", "record"),
        )

    def get_location(self, meeting: Meeting) -> str | None:
        return None if meeting.pk not in self.context["participants"] else meeting.series.location

    @extend_schema_field(serializers.ListField(child=serializers.CharField(), allow_null=True))
    def get_participants(self, meeting: Meeting) -> list[str] | None:
        people: list[str] | None = self.context["participants"].get(meeting.pk)
        return people

    @extend_schema_field(MeetingRecordSerializer(allow_null=True))
    def get_record(self, meeting: Meeting) -> dict[str, Any] | None:
        record: MeetingRecord | None = self.context["records"].get(meeting.pk)
        return dict(MeetingRecordSerializer(record).data) if record else None


class MeetingMoveSerializer(BodySerializer):
    starts_at = serializers.DateTimeField(help_text="A time with its offset from UTC.")
    ends_at = serializers.DateTimeField()
    sequence = serializers.IntegerField(help_text="Sequence number of the meeting to move.")


class MeetingCancelSerializer(BodySerializer):
    reason = serializers.CharField(required=False, allow_blank=True, help_text="Participants read it.")
    sequence = serializers.IntegerField(help_text="Sequence number of the meeting to cancel.")


class MeetingSeriesSerializer(ReadSerializer[MeetingSeries]):
    title = serializers.CharField()
    unit = LedUnitField("Meetings", help_text="Slug; null: the whole organisation.")
    participants = ParticipantsField(help_text="E-mail addresses.")

    class Meta:
        model = MeetingSeries
        fields = ("id", "title", *WRITTEN, "version")


def meeting_documents(meetings: Sequence[Meeting], access: Access) -> list[dict[str, Any]]:
    """Serialises meetings read with their series and unit; names are omitted for tokens without an account."""
    visibility = access.visibility
    participants: dict[int, list[str]] = {}
    if access.is_of_account:
        participants = {meeting.pk: [] for meeting in meetings if visibility.leads(meeting.series.unit_id)}
        shown = MeetingParticipant.objects.within(visibility).invited().filter(meeting__in=meetings)
        for meeting, email in shown.order_by("person__full_name").values_list("meeting", "person__email"):
            participants.setdefault(meeting, []).extend([email] if email else [])
    context = {"participants": participants, "records": records_of(meetings, visibility)}
    return [dict(document) for document in MeetingSerializer(meetings, many=True, context=context).data]


def series_documents(series: Sequence[MeetingSeries], access: Access) -> list[dict[str, Any]]:
    return [dict(document) for document in MeetingSeriesSerializer(series, many=True, context={"access": access}).data]
