"""Program-wide settings, and whether the demo was loaded."""

from __future__ import annotations

import pghistory
from django.db import models

from orgtree.models import Attribute, OrgTree


@pghistory.track(append_only=True)
class ProgramSettings(models.Model):
    """A single row; without it, or if it names no tree, the tree is guessed: queries/teams.py."""

    teams_tree = models.ForeignKey(
        OrgTree,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="Org Tree whose teams set objectives",
        help_text="Its teams have one mandatory objective per quarter; leadership is shown those that have none, and "
        "their managers are reminded. Empty: the tree in which most mandatory objectives were written, until the "
        "next one is.",
    )

    cost_centre = models.ForeignKey(
        Attribute,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="cost centre of people",
        help_text="The attribute by which charge-back splits spend. Empty: it is chosen there.",
    )

    class Meta:
        verbose_name = verbose_name_plural = "program settings"
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="program_settings_are_one_row")]

    def __str__(self) -> str:
        return "Program settings"


class DemoRun(models.Model):
    """A single row, written before the first record is sent.

    Seed, flavour and anchor determine every byte of the demo, so that a second run sends the same records.
    """

    seed = models.BigIntegerField()
    flavour = models.CharField(max_length=20)
    anchor = models.DateTimeField(help_text="The instant at which the demo ends.")
    sent_at = models.DateTimeField(null=True, help_text="When the receiver had answered the last request.")
    completed_at = models.DateTimeField(null=True, help_text="When all of it stood on the pages.")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="demo_run_is_one_row")]
