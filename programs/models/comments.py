"""Comments on tickets and findings."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from insights.models import Finding
from orgtree.models import Person
from programs.models.tickets import Ticket


class Comment(models.Model):
    """A comment on a ticket or a finding; immutable."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="comments")
    finding = models.ForeignKey(Finding, models.CASCADE, null=True, related_name="comments")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)
    text = models.TextField(help_text="Markdown; @name@example.com mentions a person.")
    mentions: models.ManyToManyField[Person, models.Model] = models.ManyToManyField(
        Person, related_name="+", blank=True
    )

    class Meta:
        ordering = ("at", "pk")
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="comment_says_something"),
            models.CheckConstraint(
                condition=Q(ticket__isnull=False, finding=None) | Q(ticket=None, finding__isnull=False),
                name="comment_is_on_a_ticket_or_a_finding",
            ),
        ]

    def __str__(self) -> str:
        return f"comment on {self.ticket or self.finding}"
