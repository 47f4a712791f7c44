"""The review of a meeting: where it is, and who signs it off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse

from orgtree.models.visibility import Visibility
from programs.meetings.services.records import MeetingRecord
from programs.models import Meeting, MeetingKind, Review


def reviews_of_meetings(meetings: Sequence[Meeting], visibility: Visibility) -> Mapping[int, MeetingRecord]:
    """By meeting id; of a review that nobody has prepared yet, the list, for those who lead the unit."""
    about = [meeting for meeting in meetings if meeting.series.kind == MeetingKind.REVIEW and meeting.series.unit_id]
    seen = Review.objects.within(visibility).filter(
        unit__in={meeting.series.unit_id for meeting in about}, month__in={meeting.period_start for meeting in about}
    )
    reviews = {(review.unit_id, review.month): review for review in seen}
    found = {}
    for meeting in about:
        unit = meeting.series.unit
        review = reviews.get((unit.pk, meeting.period_start)) if unit else None
        if unit is None or (review is None and not visibility.leads(unit.pk)):
            continue
        found[meeting.pk] = MeetingRecord(
            title=f"Review of {unit.name}, {meeting.period_start:%B %Y}",
            url=reverse("review", args=[review.pk]) if review else f"{reverse('reviews')}?unit={unit.slug}",
            is_signed=review is not None and review.is_signed,
            signers=frozenset([unit.leader_id] if unit.leader_id else []),
        )
    return found
