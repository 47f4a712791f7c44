"""Meetings of reviews and QBRs, created from the rule of a series, six months ahead.  See docs/meetings.md."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from insights.query.windows import local_today, quarter_name
from orgtree.models import Person, Unit
from orgtree.models.visibility import Visibility
from programs.models.visibility import EVERYTHING, led_by

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)  # dates outside are typing mistakes
LONGEST_TEXT = 200
MONTHS_A_QUARTER = 3


class MeetingKind(models.TextChoices):
    REVIEW = "review", "Monthly review"
    QBR = "qbr", "QBR"


class Rule(models.TextChoices):
    """The rule that selects a day of a month or quarter."""

    DAY = "day", "A day of the month"
    WEEKDAY = "weekday", "A weekday of the month"
    QUARTER_WEEK = "quarter_week", "A week after the quarter's end"


class OnHoliday(models.TextChoices):
    MOVE = "move", "Move to the next working day"
    SKIP = "skip", "Skip the meeting"


class Weekday(models.IntegerChoices):
    """Days of the week, numbered like `date.weekday`."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class Place(models.IntegerChoices):
    """The position of a weekday in a month."""

    FIRST = 1
    SECOND = 2
    THIRD = 3
    FOURTH = 4
    LAST = -1


def check_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"There is no time zone “{name}”: choose one such as Europe/Berlin.")


def _between(low: int, high: int) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(low), MaxValueValidator(high)]


class MeetingSeriesQuerySet(models.QuerySet["MeetingSeries"]):
    def within(self, visibility: Visibility) -> Self:
        """Series that the viewer may change: managers those of their units, executives and admins all."""
        return self.filter(led_by(visibility))


@pghistory.track(append_only=True)
class MeetingSeries(models.Model):
    """A schedule: its rule says on which days, and its time zone at which moments.

    Without a unit it is the whole organisation's.  Each rule needs fields of its own: DAY the `day` (in a shorter month
    the last day counts), WEEKDAY `place` and `weekday`, QUARTER_WEEK `week` and `weekday`.
    """

    kind = models.CharField(max_length=10, choices=MeetingKind.choices)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="meeting_series")
    rule = models.CharField("on", max_length=12, choices=Rule.choices, default=Rule.WEEKDAY)
    day = models.PositiveSmallIntegerField(
        "day of the month",
        null=True,
        blank=True,
        validators=_between(1, 31),
        help_text="1 to 31. A month without that day: its last day.",
    )
    place = models.SmallIntegerField("which", null=True, blank=True, choices=Place.choices)
    weekday = models.PositiveSmallIntegerField(null=True, blank=True, choices=Weekday.choices)
    week = models.PositiveSmallIntegerField(
        "week after the quarter's end",
        null=True,
        blank=True,
        validators=_between(1, 12),
        help_text="1 to 12. The first week is the quarter's first seven days.",
    )
    every_months = models.PositiveSmallIntegerField(
        "every … months", default=1, validators=_between(1, 12), help_text="After a quarter's end: always three."
    )
    begins = models.TimeField("from", help_text="Local time in the series' time zone.")
    minutes = models.PositiveSmallIntegerField(default=60, validators=_between(5, 720))
    time_zone = models.CharField(max_length=80, validators=[check_time_zone])
    country = models.CharField(
        max_length=2, blank=True, help_text="The country whose public holidays and weekends are respected. Empty: none."
    )
    subdivision = models.CharField(max_length=10, blank=True, help_text="Such as BY, for its own holidays.")
    on_holiday = models.CharField("on a holiday", max_length=4, choices=OnHoliday.choices, default=OnHoliday.MOVE)
    location = models.CharField(
        "where", max_length=LONGEST_TEXT, blank=True, help_text="A room, or the address of a call."
    )
    starts_on = models.DateField("first day", help_text="The series starts on or after this day.")
    ends_on = models.DateField("last day", null=True, blank=True, help_text="No meeting after it. Empty: no end.")
    participants: models.ManyToManyField[Person, models.Model] = models.ManyToManyField(
        Person, related_name="meeting_series", blank=True
    )
    made_until = models.DateField(null=True, editable=False, help_text="The day up to which meetings were made.")
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    # Grows with every change, so that an edit of an older version is shown as a conflict and nothing is lost.
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = MeetingSeriesQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "meeting series"
        ordering = ("unit", "kind", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(rule=Rule.DAY, day__isnull=False)
                | Q(rule=Rule.WEEKDAY, place__isnull=False, weekday__isnull=False)
                | Q(rule=Rule.QUARTER_WEEK, week__isnull=False, weekday__isnull=False),
                name="meeting_rule_has_its_fields",
            ),
            models.CheckConstraint(
                condition=Q(kind=MeetingKind.QBR) | Q(unit__isnull=False), name="review_meeting_has_a_unit"
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="meeting_series_ends_after_its_start"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The kind and unit: “QBR, Platform”."""
        name = {MeetingKind.REVIEW: "Monthly review", MeetingKind.QBR: "QBR" if self.is_quarterly else "Monthly QBR"}
        return f"{name[MeetingKind(self.kind)]}, {self.unit.name if self.unit else 'Whole organisation'}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def is_quarterly(self) -> bool:
        """Whether its meetings are about quarters rather than months."""
        of_quarters = self.rule == Rule.QUARTER_WEEK or self.every_months >= MONTHS_A_QUARTER
        return self.kind == MeetingKind.QBR and of_quarters

    @property
    def has_ended(self) -> bool:
        return self.ends_on is not None and self.ends_on <= local_today()

    @property
    def rule_words(self) -> str:
        """Such as “First Tuesday of the month, 10:00–11:00 (Europe/Berlin)”."""
        ordinal = {2: "nd", 3: "rd"}.get(self.every_months, "th")
        months = "the month" if self.every_months == 1 else f"every {self.every_months}{ordinal} month"
        weekday = self.get_weekday_display() if self.weekday is not None else ""
        if self.rule == Rule.DAY:
            day = f"Day {self.day} of {months}"
        elif self.rule == Rule.WEEKDAY:
            day = f"{Place(self.place or 1).label} {weekday} of {months}"
        else:
            day = f"{weekday} of week {self.week} after the quarter's end"
        hours, minutes = divmod(self.begins.hour * 60 + self.begins.minute + self.minutes, 60)
        return f"{day}, {self.begins:%H:%M}–{hours % 24:02}:{minutes:02} ({self.time_zone})"

    def clean(self) -> None:
        needed = {
            Rule.DAY.value: ("day",),
            Rule.WEEKDAY.value: ("place", "weekday"),
            Rule.QUARTER_WEEK.value: ("week", "weekday"),
        }
        problems = {name: "Needed for this rule." for name in needed.get(self.rule, ()) if getattr(self, name) is None}
        if self.kind == MeetingKind.REVIEW and self.unit_id is None:
            problems["unit"] = "A review is a unit's: choose one."
        if self.kind == MeetingKind.REVIEW and self.rule == Rule.QUARTER_WEEK:
            problems["rule"] = "Reviews are monthly: choose a day or a weekday of the month."
        for name in ("starts_on", "ends_on"):
            day = getattr(self, name)
            if isinstance(day, date) and not FIRST_DAY <= day < LAST_DAY:
                problems[name] = f"{day} is not between {FIRST_DAY.year} and {LAST_DAY.year}."
        if self.ends_on and self.starts_on and self.ends_on < self.starts_on:
            problems["ends_on"] = "It ends before its first day."
        if problems:
            raise ValidationError(problems)


class MeetingState(models.TextChoices):
    PLANNED = "planned", "Planned"
    CANCELLED = "cancelled", "Cancelled"


class MeetingQuerySet(models.QuerySet["Meeting"]):
    def within(self, visibility: Visibility) -> Self:
        """Meetings that the viewer takes part in, of units that they manage, and of units whose figures they see."""
        takes_part = MeetingParticipant.objects.filter(
            meeting=OuterRef("pk"), person=visibility.person_id, removed_at=None
        )
        of_their_units = EVERYTHING if visibility.unit_ids is None else Q(series__unit__in=visibility.unit_ids)
        return self.filter(Exists(takes_part) | led_by(visibility, "series__unit") | of_their_units)

    def planned(self) -> Self:
        return self.filter(state=MeetingState.PLANNED)


@pghistory.track(append_only=True)
class Meeting(models.Model):
    """One meeting of a series, about the days [period_start, period_end): a month, or for QBRs also a quarter.

    `rule_day` is the day by the rule alone; holidays or somebody may have moved the meeting.  Calendars identify it by
    `uid`, and its newest version by `sequence`, which grows with each change; `moved_in` is the sequence in which time
    or state last changed.
    """

    series = models.ForeignKey(MeetingSeries, models.CASCADE, related_name="meetings")
    period_start = models.DateField()
    period_end = models.DateField()
    rule_day = models.DateField()
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sequence = models.PositiveIntegerField(default=0)
    moved_in = models.PositiveIntegerField(default=0)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=MeetingState.choices, default=MeetingState.PLANNED)
    cancelled_why = models.CharField(max_length=LONGEST_TEXT, blank=True)
    is_exception = models.BooleanField(default=False, help_text="Changed by hand: the rule leaves it alone.")
    changed_at = models.DateTimeField(db_default=Now())

    objects = MeetingQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at", "pk")
        constraints = [
            models.UniqueConstraint(fields=["series", "period_start"], name="meeting_once_a_period"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="meeting_takes_time"),
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="meeting_period_has_days"),
        ]
        indexes = [models.Index(fields=["starts_at"], name="meeting_by_time")]

    def __str__(self) -> str:
        return f"{self.series.title}, {self.local_day}"

    @property
    def local_day(self) -> date:
        """The meeting's day in the time zone of the series."""
        return self.starts_at.astimezone(self.series.zone).date()

    @property
    def is_cancelled(self) -> bool:
        return self.state == MeetingState.CANCELLED

    @property
    def period_words(self) -> str:
        """June 2026, or 2026-Q2."""
        return quarter_name(self.period_start) if self.series.is_quarterly else f"{self.period_start:%B %Y}"

    @property
    def is_moved(self) -> bool:
        """Whether the meeting was moved to a day other than its rule's."""
        return self.local_day != self.rule_day


class MeetingParticipantQuerySet(models.QuerySet["MeetingParticipant"]):
    def within(self, visibility: Visibility) -> Self:
        """Participations of the viewer, and those in meetings of units that the viewer answers for."""
        own = MeetingParticipant.objects.filter(
            meeting=OuterRef("meeting"), person=visibility.person_id, removed_at=None
        )
        return self.filter(led_by(visibility, "meeting__series__unit") | Exists(own))

    def invited(self) -> Self:
        return self.filter(removed_at=None)


@pghistory.track(append_only=True)
class MeetingParticipant(models.Model):
    """A current or former invitee: `changed_in` is the meeting's sequence in which they were added or removed."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="participants")
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    removed_at = models.DateTimeField(null=True)
    changed_in = models.PositiveIntegerField(default=0)

    objects = MeetingParticipantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "person"], name="meeting_participant_once")]


class CalendarFeed(models.Model):
    """A calendar feed of an account's meetings at a secret address, of which Headway stores only the SHA-256."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_feed")
    digest = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField(db_default=Now())
    last_read_at = models.DateTimeField(null=True)
    reads = models.PositiveIntegerField(default=0, help_text="In the minute of `last_read_at`.")
