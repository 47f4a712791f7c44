"""Figures of every person of the whole organisation in a trailing window: reading them takes longer than a page may."""

from __future__ import annotations

from django.db import models


class KeptPeopleFigures(models.Model):
    """What of everybody is kept of one window; what a page shows of it is for the viewer's policy to say."""

    kind = models.CharField(max_length=30, help_text="What is kept: it names who reads it.")
    start = models.DateField()
    end = models.DateField(help_text="The first day that no longer belongs to it.")
    measured = models.CharField(max_length=64, help_text="SHA-256 of what the figures are computed from.")
    content = models.BinaryField()
    read_at = models.DateTimeField(help_text="The moment whose facts they hold.")
    shown_until = models.DateTimeField(help_text="After that they are too old; moves on while nothing changes.")
    changes = models.BigIntegerField(help_text="Of the snapshots, when they were read: more since then are news.")
    seconds = models.FloatField(help_text="How long it took to read them.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "start", "end"], name="people_figures_of_kind_are_unique")
        ]

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"
