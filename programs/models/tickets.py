"""Action tickets: the work, its owner and its due date; and the issues that mirror them."""

from __future__ import annotations

from datetime import date
from typing import Self

import pghistory
from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from integrations.enums import MirrorState
from integrations.models import PullRequest, Resource
from orgtree.models import Person, Unit
from orgtree.models.visibility import Visibility
from programs.models.objectives import LONGEST_TITLE, Objective
from programs.models.visibility import concerns, led_by

STATES = [(state.value, state.value.capitalize()) for state in MirrorState]


class TicketState(models.TextChoices):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    DONE = "done", "Done"
    DROPPED = "dropped", "Dropped"


OPEN_STATES = (TicketState.OPEN, TicketState.IN_PROGRESS)  # somebody still has to do something


class Nature(models.TextChoices):
    """Whether the ticket is an opportunity or a problem to fix."""

    OPPORTUNITY = "opportunity", "Opportunity"
    CHALLENGE = "challenge", "Challenge"


class BottleneckKind(models.TextChoices):
    """The area of the cause; it is rarely people."""

    PROCESS = "process", "Process"
    TOOLING = "tooling", "Tooling"
    PEOPLE = "people", "People"


class TicketQuerySet(models.QuerySet["Ticket"]):
    def within(self, visibility: Visibility) -> Self:
        """Tickets of units that the viewer may see, of units above those, of units that they lead, and their own."""
        own = Q(owner=visibility.person_id) if visibility.person_id is not None else Q(pk__in=[])
        return self.filter(concerns(visibility) | led_by(visibility) | own)

    def standing(self) -> Self:
        return self.filter(state__in=OPEN_STATES)

    def overdue(self, today: date) -> Self:
        return self.standing().filter(due_on__lt=today)


@pghistory.track(append_only=True)
class Ticket(models.Model):
    """An improvement.  Without a unit it is the whole organisation's."""

    class Effort(models.TextChoices):
        """The effort that the owner estimates."""

        SMALL = "small", "Small"
        MEDIUM = "medium", "Medium"
        LARGE = "large", "Large"

    nature = models.CharField("what it is", max_length=12, choices=Nature.choices, default=Nature.CHALLENGE)
    title = models.CharField("opportunity or challenge", max_length=LONGEST_TITLE)
    resolution = models.TextField(blank=True, help_text="The resolution. Markdown.")
    kind = models.CharField("where the cause lies", max_length=10, choices=BottleneckKind.choices)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="tickets")
    owner = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="tickets")
    starts_on = models.DateField("started on")
    due_on = models.DateField("due by", db_index=True)
    completed_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=TicketState.choices, default=TicketState.OPEN)
    dropped_why = models.CharField(max_length=LONGEST_TITLE, blank=True)
    metric = models.CharField(max_length=80, blank=True, help_text="The key of the metric that it is to move.")
    objective = models.ForeignKey(Objective, models.SET_NULL, null=True, blank=True, related_name="tickets")
    effort = models.CharField(
        max_length=6, choices=Effort.choices, blank=True, help_text="The effort of the resolution."
    )
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    # Grows with every change, so that an edit of an older version is shown as a conflict and nothing is lost.
    version = models.PositiveIntegerField(default=1, editable=False)
    watchers: models.ManyToManyField[models.Model, models.Model] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="watched_tickets", blank=True
    )
    pull_requests: models.ManyToManyField[PullRequest, models.Model] = models.ManyToManyField(
        PullRequest, related_name="+", blank=True, db_constraint=False
    )

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ("due_on", "pk")
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="ticket_says_something"),
            models.CheckConstraint(condition=Q(due_on__gte=F("starts_on")), name="ticket_due_after_its_start"),
            models.CheckConstraint(
                condition=Q(state=TicketState.DONE, completed_on__isnull=False, completed_on__gte=F("starts_on"))
                | (~Q(state=TicketState.DONE) & Q(completed_on=None)),
                name="done_ticket_has_its_day",
            ),
            models.CheckConstraint(
                condition=~Q(state=TicketState.DROPPED) | ~Q(dropped_why=""), name="dropped_ticket_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "due_on"], name="ticket_by_unit"),
            models.Index(fields=["owner", "due_on"], name="ticket_by_owner"),
            models.Index(fields=["due_on"], condition=Q(state__in=OPEN_STATES), name="ticket_standing_by_due"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_standing(self) -> bool:
        return self.state in OPEN_STATES

    def days_late(self, today: date) -> int:
        """The number of days that the ticket is overdue; 0 if it is not, or is closed."""
        return max(0, (today - self.due_on).days) if self.is_standing else 0


class TicketEffect(models.Model):
    """The ticket's metric in the weeks before it began and in those after it was done."""

    ticket = models.OneToOneField(Ticket, models.CASCADE, related_name="effect")
    of_version = models.PositiveIntegerField(help_text="The ticket's, whose days and metric were measured.")
    metric_version = models.PositiveIntegerField()
    before = models.FloatField(null=True)
    after = models.FloatField(null=True)
    sample_before = models.PositiveIntegerField(default=0)
    sample_after = models.PositiveIntegerField(default=0)
    people_before = models.PositiveIntegerField(default=0)
    people_after = models.PositiveIntegerField(default=0)
    # After minus before, at 95 %; null if there are too few weeks or facts.
    change_low = models.FloatField(null=True)
    change_high = models.FloatField(null=True)
    weeks_after = models.PositiveSmallIntegerField(default=0, help_text="Whole weeks after completion, 4 to 12.")
    measured_at = models.DateTimeField(db_default=Now())


# A ticket's links have histories of their own: a row says that somebody added or removed a link. Django creates the
# classes of links at run time, so no type checker knows them.
@pghistory.track(pghistory.InsertEvent("added"), pghistory.DeleteEvent("removed"), obj_field=None, append_only=True)
class TicketPullRequest(Ticket.pull_requests.through):  # type: ignore[name-defined,misc]
    class Meta:
        proxy = True


@pghistory.track(pghistory.InsertEvent("added"), pghistory.DeleteEvent("removed"), obj_field=None, append_only=True)
class TicketWatcher(Ticket.watchers.through):  # type: ignore[name-defined,misc]
    class Meta:
        proxy = True


class TicketTemplate(models.Model):
    """A template for a common problem and its remedy: a ticket without unit, owner and dates."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField("opportunity or challenge", max_length=LONGEST_TITLE)
    nature = models.CharField("what it is", max_length=12, choices=Nature.choices, default=Nature.CHALLENGE)
    resolution = models.TextField(help_text="The resolution that has helped. Markdown.")
    kind = models.CharField("where the cause lies", max_length=10, choices=BottleneckKind.choices)
    metric = models.CharField(max_length=80, blank=True, help_text="The key of the metric that it is to move.")
    days = models.PositiveSmallIntegerField(
        "days to do it in", default=28, validators=[MinValueValidator(1)], help_text="From its start to its due day."
    )
    position = models.PositiveSmallIntegerField(default=100, help_text="Small numbers stand first.")
    is_offered = models.BooleanField("offered", default=True)

    class Meta:
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.title


class TicketMirror(models.Model):
    """A ticket's issue at a provider.  Texts and the owner go there; the state and the due date are synced both ways.

    `agreed_state` and `agreed_due_on` are the last values that both sides had: a side that differs from them has
    changed since.  Issues of trackers without due dates have none.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting to be sent"
        SYNCED = "synced", "In step"
        DIFFERS = "differs", "Differs"
        FAILED = "failed", "Failed"

    ticket = models.OneToOneField(Ticket, models.CASCADE, related_name="mirror")
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=200, blank=True, editable=False)
    key = models.CharField(max_length=200, blank=True, editable=False)
    url = models.URLField(max_length=500, blank=True, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    agreed_state = models.CharField(max_length=10, choices=STATES, blank=True, editable=False)
    remote_state = models.CharField(max_length=10, choices=STATES, blank=True, editable=False)
    agreed_due_on = models.DateField(null=True, editable=False)
    remote_due_on = models.DateField(null=True, editable=False)
    remote_updated_at = models.DateTimeField(null=True, editable=False, help_text="The provider's own time.")
    sent_version = models.PositiveIntegerField(default=0, editable=False, help_text="The ticket's, as last sent.")
    problem = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    failures = models.PositiveIntegerField(default=0, editable=False)
    next_try_at = models.DateTimeField(db_default=Now(), editable=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=("synced", "differs")) | ~Q(external_id=""), name="mirror_in_step_has_its_issue"
            )
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(status="waiting"), name="mirror_waiting"),
            models.Index(fields=["external_id"], name="mirror_by_issue"),
        ]

    def __str__(self) -> str:
        return f"{self.resource.name}#{self.key}" if self.key.isdecimal() else self.key or self.resource.name
