"""The tickets and objectives that address findings."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from insights.models import Finding
from programs.models.objectives import Objective
from programs.models.tickets import Ticket


class FindingWork(models.Model):
    """A ticket or an objective that addresses a finding."""

    finding = models.ForeignKey(Finding, models.CASCADE, related_name="work")
    ticket = models.OneToOneField(Ticket, models.CASCADE, null=True, related_name="finding_work")
    objective = models.OneToOneField(Objective, models.CASCADE, null=True, related_name="finding_work")

    class Meta:
        verbose_name_plural = "finding work"
        constraints = [
            models.CheckConstraint(
                condition=Q(ticket__isnull=False, objective=None) | Q(ticket=None, objective__isnull=False),
                name="finding_work_is_a_ticket_or_an_objective",
            )
        ]

    def __str__(self) -> str:
        return f"{self.ticket or self.objective} on {self.finding}"
