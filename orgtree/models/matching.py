"""Identity matching: proposals, pending work, and the log of decisions."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from orgtree.models.people import Identity, Person


class MatchProposal(models.Model):
    """A person that a waiting identity may be.  Rejected proposals stay, so that they are not repeated."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        CONFIRMED = "confirmed", "Confirmed"
        REJECTED = "rejected", "Rejected"
        PASSED_OVER = "passed_over", "Passed over"  # the identity was assigned to somebody else, or is a bot

    identity = models.ForeignKey(Identity, models.CASCADE, related_name="proposals")
    person = models.ForeignKey(Person, models.CASCADE, related_name="proposals")
    confidence = models.PositiveSmallIntegerField(help_text="A percentage, computed as docs/identities.md explains.")
    method = models.CharField(max_length=20, help_text="The kind of the strongest evidence.")
    evidence = models.JSONField(default=list, help_text="Sentences that give the evidence, strongest first.")
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    proposed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["identity", "person"], name="proposal_is_unique")]
        indexes = [models.Index(fields=["state"], name="proposal_by_state")]

    def __str__(self) -> str:
        return f"{self.identity} → {self.person}"


class MatchWork(models.Model):
    """Marks that names or people changed since the last matching run; written by database triggers.

    It does not say which, because a run compares everybody.
    """

    noted_at = models.DateTimeField(db_default=Now())


class IdentityChange(models.Model):
    """A decision on the owner of identities.  Append-only: the database refuses updates and deletes.

    `steps` holds each identity's state before and after, by ids; that is enough to undo the decision.
    """

    class Action(models.TextChoices):
        CONFIRMED = "confirmed", "Confirmed"
        REJECTED = "rejected", "Rejected"
        ASSIGNED = "assigned", "Assigned"
        DECLARED = "declared", "Declared"
        MERGED = "merged", "Merged"
        SPLIT = "split", "Split off"
        MARKED_BOT = "marked_bot", "Marked as a bot"
        UNMARKED_BOT = "unmarked_bot", "No bot after all"
        UNDONE = "undone", "Taken back"

    at = models.DateTimeField(db_default=Now(), editable=False)
    # No constraint: the log outlives accounts, and deleting one must not change it.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, related_name="+", editable=False
    )
    action = models.CharField(max_length=12, choices=Action.choices, editable=False)
    steps = models.JSONField(editable=False)
    undoes = models.OneToOneField("self", models.DO_NOTHING, null=True, related_name="undone_by", editable=False)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="identity_change_by_time")]
