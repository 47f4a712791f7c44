"""Which demo organisation this installation holds."""

from __future__ import annotations

from django.db import models


class DemoRun(models.Model):
    """A single row, written before the first record is sent.

    Seed, flavour and anchor decide every byte of the demo, so that a second run sends what is already there.
    """

    seed = models.BigIntegerField()
    flavour = models.CharField(max_length=20)
    anchor = models.DateTimeField(help_text="The instant at which the demo ends.")
    sent_at = models.DateTimeField(null=True, help_text="When the receiver had answered the last request.")
    completed_at = models.DateTimeField(null=True, help_text="When all of it stood on the pages.")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="demo_run_is_one_row")]
