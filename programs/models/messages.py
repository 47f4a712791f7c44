"""Messages to people: notices in the app, and the outbox of messages by e-mail or another channel.

A notice tells one account one thing, once.  A delivery is that notice on its way through one channel.  An outgoing
e-mail is one message with everything that is due for an account; it is stored before it is sent, so that a second
attempt sends the same message.  See docs/reminders.md.
"""

from __future__ import annotations

import uuid
from datetime import date
from functools import reduce
from operator import or_
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from insights.models import Finding
from integrations.delivery.records.visible import pull_requests_within
from integrations.enums import PullRequestState
from integrations.models import PullRequest, Silence
from orgtree.models import Person, Unit
from orgtree.models.visibility import Visibility
from programs.models.budgets import Budget, BudgetAlert
from programs.models.comments import Comment
from programs.models.digests import AlertRule, Digest
from programs.models.meetings import Meeting, MeetingParticipant
from programs.models.objectives import CheckIn, Objective
from programs.models.tickets import OPEN_STATES, Ticket
from programs.models.visibility import led_by

LONGEST_REASON = 500


class MessageKind(models.TextChoices):
    """Kinds of messages; each can be switched off per channel."""

    DUE_SOON = "ticket_due_soon", "A ticket of mine is due within three days"
    DUE = "ticket_due", "A ticket of mine is due today"
    OVERDUE = "ticket_overdue", "A ticket of mine is overdue"
    OVERDUE_IN_TEAM = "ticket_overdue_in_team", "A ticket in my teams is overdue"
    ASSIGNED = "ticket_assigned", "A ticket became mine"
    MENTIONED = "mentioned", "Somebody mentions me"
    COMMENTED = "ticket_commented", "Somebody comments on a ticket that I own or watch, or on a finding after me"
    CHECK_IN_DUE = "check_in_due", "A check-in on an objective of mine is due"
    OBJECTIVE_MISSING = "objective_missing", "A team of mine has no objective for the quarter"
    MEETING_INVITATION = "meeting_invitation", "I am invited to a meeting, or its time changes"
    MEETING_CANCELLED = "meeting_cancelled", "A meeting of mine is cancelled, or I no longer take part"
    MEETING_SOON = "meeting_soon", "A meeting of mine is within a day"
    MEETING_UNSIGNED = "meeting_unsigned", "A review or QBR of a meeting of mine is not signed off"
    AGREEMENT_BROKEN = "agreement_broken", "A pull request breaks the working agreement of my team"
    BUDGET_FORECAST = "budget_forecast", "A budget that I answer for is forecast to be used up"
    BUDGET_SPENT = "budget_spent", "A budget that I answer for is used up"
    POLICY = "policy_changed", "The rules of who sees what change"
    SILENCE = "silence", "An agent's version or a source stops sending (for admins)"
    DIGEST = "digest", "A digest that I asked for"
    ALERT = "metric_alert", "A metric goes beyond a limit that I set"


INVITATIONS = (MessageKind.MEETING_INVITATION, MessageKind.MEETING_CANCELLED)
# Each is an e-mail of its own: mail programs act on one calendar object, and a digest has its own link to unsubscribe.
ALONE = (*INVITATIONS, MessageKind.DIGEST)


TICKET_DAYS = (MessageKind.DUE_SOON, MessageKind.DUE, MessageKind.OVERDUE, MessageKind.OVERDUE_IN_TEAM)
TO_OWNERS = (MessageKind.DUE_SOON, MessageKind.DUE, MessageKind.OVERDUE, MessageKind.ASSIGNED)


class Breach(models.IntegerChoices):
    """Kinds of breaches of a working agreement by a pull request: the `number` of the notice."""

    NO_ITEM = 0, "Names no work item"
    TOO_LARGE = 1, "Larger than agreed"
    UNREVIEWED = 2, "Waits longer than agreed for a review"


class Channel(models.TextChoices):
    """A channel for notices outside the app; programs/reminders/services/channels.py implements them."""

    EMAIL = "email", "E-mail"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def within(self, visibility: Visibility) -> Self:
        """Notices about records that the viewer may see today: a ticket that is hidden by now causes none."""
        tickets = Ticket.objects.within(visibility).filter(pk=OuterRef("ticket"))
        objectives = Objective.objects.within(visibility).filter(pk=OuterRef("objective"))
        meetings = Meeting.objects.within(visibility).filter(pk=OuterRef("meeting"))
        alerts = BudgetAlert.objects.filter(budget__in=Budget.objects.within(visibility), pk=OuterRef("alert"))
        was_invited = MeetingParticipant.objects.filter(meeting=OuterRef("meeting"), person=visibility.person_id)
        return self.filter(
            Q(ticket=None) | Exists(tickets),
            Q(finding=None) | Exists(Finding.objects.within(visibility).filter(pk=OuterRef("finding"))),
            Q(objective=None) | Exists(objectives),
            Q(unit=None) | led_by(visibility),
            # people removed from a meeting are told so
            Q(meeting=None) | Exists(meetings) | Exists(was_invited),
            Q(alert=None) | Exists(alerts),
            Q(silence=None) | Q(account__is_superuser=True),
            Q(digest=None) | Q(digest__in=Digest.objects.within(visibility)),
            Q(rule=None) | Q(rule__in=AlertRule.objects.within(visibility)),
            Q(pull_request=None) | Exists(pull_requests_within(visibility).filter(pk=OuterRef("pull_request"))),
        )

    def unread(self) -> Self:
        return self.filter(read_at=None)

    def ended(self, today: date) -> Self:
        """Notices whose reason has ended: the work is done, was reassigned, or is due on another day.

        The hook `settled_notices` decides for notices of meetings.
        """
        of_account = Q(user=OuterRef("account")) | Q(user=None, email__iexact=OuterRef("account__email"))
        ticket_is_theirs = Exists(Person.objects.filter(of_account, pk=OuterRef("ticket__owner")))
        objective_is_theirs = Exists(Person.objects.filter(of_account, pk=OuterRef("objective__owner")))
        checked_in = CheckIn.objects.filter(objective=OuterRef("objective"), at__gte=OuterRef("at"))
        agreed = Objective.objects.filter(
            unit=OuterRef("unit"), quarter__start=OuterRef("day"), is_mandatory=True, dropped_at=None
        ).exclude(published_at=None)
        of_ticket = Q(ticket__isnull=False, comment=None) & (
            ~Q(ticket__state__in=OPEN_STATES)
            | Q(kind__in=TICKET_DAYS) & ~Q(ticket__due_on=F("day"))
            | Q(kind__in=TO_OWNERS) & ~Q(ticket_is_theirs)
            | Q(kind=MessageKind.DUE_SOON, day__lte=today)
            | Q(kind=MessageKind.DUE, day__lt=today)
        )
        is_open = Exists(Objective.objects.open().filter(pk=OuterRef("objective")))
        of_objective = Q(objective__isnull=False) & ~(Q(is_open) & Q(objective_is_theirs) & ~Q(Exists(checked_in)))
        of_unit = Q(unit__isnull=False) & Q(Exists(agreed))
        came_back = Q(rule__isnull=False, rule__firing_since=None)
        breach_is_over = Q(pull_request__isnull=False) & (
            ~Q(pull_request__state=PullRequestState.OPEN)
            | Q(number=Breach.NO_ITEM, pull_request__figures__is_linked=True)
            | Q(number=Breach.TOO_LARGE, pull_request__figures__size__lte=F("pull_request__figures__agreed_lines"))
            | Q(number=Breach.UNREVIEWED, pull_request__figures__first_review_at__isnull=False)
        )
        has_ended = came_back | breach_is_over | Q(silence__ended_at__isnull=False)
        return self.filter(of_ticket | of_objective | of_unit | has_ended)


def _about_one_thing() -> Q:
    things = (
        *("ticket", "finding", "objective", "unit", "meeting", "alert", "silence", "policy", "digest", "rule"),
        "pull_request",
    )
    return reduce(or_, (Q(**{f"{thing}__isnull": thing != about for thing in things}) for about in things))


class Notice(models.Model):
    """One thing that an account is told: about a ticket or a comment on it, a comment on a finding, an objective, a
    unit, a meeting, a budget's alert, a source that stopped sending, a change of the access policy, a digest, an alert
    rule that fired, or a pull request.

    `day` is the day that it is about (the due date, the quarter's first day).  `number` is the number of the reminder
    (0 is the first), the version that caused it (for a meeting, the sequence), or the breach by a pull request.  Both
    identify the notice, so that planning it again does nothing.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=30, choices=MessageKind.choices)
    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="notices")
    finding = models.ForeignKey(Finding, models.CASCADE, null=True, related_name="+")
    comment = models.ForeignKey(Comment, models.CASCADE, null=True, related_name="+")
    objective = models.ForeignKey(Objective, models.CASCADE, null=True, related_name="notices")
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, related_name="+")
    meeting = models.ForeignKey(Meeting, models.CASCADE, null=True, related_name="notices")
    alert = models.ForeignKey(BudgetAlert, models.CASCADE, null=True, related_name="notices")
    silence = models.ForeignKey(Silence, models.CASCADE, null=True, related_name="+")
    policy = models.ForeignKey("orgtree.PolicyEvent", models.CASCADE, null=True, related_name="+")
    digest = models.ForeignKey(Digest, models.CASCADE, null=True, related_name="+")
    rule = models.ForeignKey(AlertRule, models.CASCADE, null=True, related_name="+")
    # No constraint, like other references from figures to pull requests.  `forget_records` deletes pull requests in
    # SQL; a notice about a deleted one is shown to nobody, and is removed after 180 days.
    pull_request = models.ForeignKey(
        PullRequest, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    day = models.DateField(null=True)
    number = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ("-at", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "account",
                    "kind",
                    "ticket",
                    "finding",
                    "comment",
                    "objective",
                    "unit",
                    "meeting",
                    "alert",
                    "silence",
                    "policy",
                    "digest",
                    "rule",
                    "pull_request",
                    "day",
                    "number",
                ],
                nulls_distinct=False,
                name="notice_is_told_once",
            ),
            models.CheckConstraint(
                condition=_about_one_thing(),
                name="notice_is_about_one_thing",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-at"], name="notice_by_account"),
            models.Index(fields=["account"], condition=Q(read_at=None), name="notice_unread"),
        ]


class OutgoingEmail(models.Model):
    """A message to one account, handed to a channel as a whole.

    `public_id` is in its Message-ID, so that a mail server can recognise a duplicate.  `held_by` is the worker that
    sends it, until `held_until`; only that worker records the result.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        HANDING_OVER = "handing_over", "Being handed over"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Not known whether it arrived"
        EMPTY = "empty", "Nothing was left to say"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="outgoing_emails")
    channel = models.CharField(max_length=20, choices=Channel.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    made_at = models.DateTimeField(db_default=Now())
    next_try_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    held_by = models.CharField(max_length=120, blank=True)
    held_until = models.DateTimeField(null=True)
    reason = models.CharField("why", max_length=LONGEST_REASON, blank=True, help_text="Of the last try.")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "programs_letter"
        verbose_name = "outgoing e-mail"
        ordering = ("-made_at", "-pk")
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=Q(state__in=["waiting", "handing_over"]), name="letter_waiting"
            ),
            models.Index(fields=["made_at"], name="letter_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.public_id}"


class Delivery(models.Model):
    """An outbox entry: one notice on its way through one channel.  It waits until it is put into an e-mail."""

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=20, choices=Channel.choices)
    not_before = models.DateTimeField(db_default=Now(), help_text="Later than now in the account's quiet hours.")
    email = models.ForeignKey(
        OutgoingEmail, models.CASCADE, null=True, related_name="deliveries", db_column="letter_id"
    )
    left_out = models.CharField(max_length=LONGEST_REASON, blank=True, help_text="Why the e-mail doesn't say it.")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["notice", "channel"], name="delivery_once_by_a_channel")]
        indexes = [models.Index(fields=["not_before"], condition=Q(email=None), name="notice_delivery_waiting")]


class OptOut(models.Model):
    """An account's opt-out from a kind of messages on a channel; an empty kind means all."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="opt_outs")
    channel = models.CharField(max_length=20, choices=Channel.choices)
    kind = models.CharField(max_length=30, choices=MessageKind.choices, blank=True)
    since = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "programs_muted"
        constraints = [models.UniqueConstraint(fields=["account", "channel", "kind"], name="muted_once")]


class QuietHours(models.Model):
    """The hours in which an account gets no messages, in its time zone; without a row, the installation's.

    A range whose `begins` is after `ends` spans midnight; if they are equal, there are no quiet hours.
    """

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="quiet_hours")
    time_zone = models.CharField(max_length=80, blank=True, help_text="An IANA name; empty: the organisation's.")
    begins = models.TimeField()
    ends = models.TimeField()

    class Meta:
        verbose_name_plural = "quiet hours"
