"""Annotations of the demo, for stories that have a note."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User

from demo.load.personas import PERSONAS
from demo.plan.delivery_stories import DELIVERY_STORIES
from demo.plan.year import DemoYear
from insights.annotations.writing import AnnotationDraft, add_annotation
from insights.models import Annotation
from orgtree.access.access import access_of


def write_demo_annotations(year: DemoYear) -> None:
    """Write one for each story that has a note, on the team's charts, by the executive; a second call changes nothing.

    An event that excuses its story covers the days of its weeks and applies to reviews only; a note is dated the day
    after.
    """
    if year.flavour.is_quiet:
        return
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    access = access_of(User.objects.get(username=executive.email))
    for story in DELIVERY_STORIES:
        if story.noted and not Annotation.objects.filter(text=story.noted).exists():
            end = year.first_day_of(story.weeks.last)
            days = (year.first_day_of(story.weeks.first), end) if story.is_excused else (end, end + timedelta(days=1))
            add_annotation(
                access,
                AnnotationDraft(
                    story.noted,
                    *days,
                    unit=story.team.lower(),
                    about="pr" if story.is_excused else "",
                    excuses=story.is_excused,
                ),
            )
