"""Figures of every person of the whole organisation in a trailing window: reading them takes longer than a page may."""

from __future__ import annotations

from django.db import models


class KeptPeopleFigures(models.Model):
    """What insights/leaderboard/packed.py made of one window; nobody reads it but for a viewer's policy."""

    start = models.DateField()
    end = models.DateField(help_text="The first day that no longer belongs to it.")
    measured = models.CharField(max_length=64, help_text="SHA-256 of what the figures are computed from.")
    content = models.BinaryField()
    read_at = models.DateTimeField(help_text="The moment whose facts they hold.")
    unchanged_at = models.DateTimeField(help_text="When they were last found to hold still.")
    changes = models.BigIntegerField(help_text="Of the snapshots, when they were read: more since then are news.")
    seconds = models.FloatField(help_text="How long it took to read them.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["start", "end"], name="people_figures_are_unique")]

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"
