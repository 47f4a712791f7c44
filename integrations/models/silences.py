"""Silences: signals of an agent's version, and whole senders, that stopped arriving (docs/silence.md)."""

from __future__ import annotations

from typing import Self

from django.db import models


class SenderDay(models.Model):
    """A local day on which a sender sent something; stored every hour because nothing else records it."""

    sender = models.CharField(
        max_length=60, help_text="The sender's kind and identifier, such as token:12 or agent:codex."
    )
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sender", "day"], name="sender_day_is_unique")]
        indexes = [models.Index(fields=["day"], name="sender_day_by_day")]


class SilenceQuerySet(models.QuerySet["Silence"]):
    def open(self) -> Self:
        return self.filter(ended_at=None)


class Silence(models.Model):
    """A signal that an agent's version stopped sending, or a sender that stopped; reported once, until it ends.

    A silence of a version has `agent`, `version` and `signal`; a silence of a sender has `sender` and its name.  A bill
    counts as a sender if telemetry explains less of it than before: bill:claude_code, with the share that was explained
    before.
    """

    class End(models.TextChoices):
        RETURNED = "returned", "It arrives again"
        UNUSED = "unused", "Nobody uses that version now"
        REMOVED = "removed", "The sender was removed, paused or revoked"

    agent = models.CharField(max_length=40, blank=True, db_default="", default="")
    version = models.CharField(max_length=60, blank=True, db_default="", default="")
    signal = models.CharField(max_length=30, blank=True, db_default="", default="")
    sender = models.CharField(max_length=60, blank=True, db_default="", default="")
    sender_name = models.CharField(max_length=200, blank=True, db_default="", default="")
    since = models.DateField(help_text="The first local day without the signal or sender.")
    sessions = models.PositiveIntegerField(default=0, help_text="Sessions without the signal since then.")
    people = models.PositiveIntegerField(
        default=0, help_text="The largest number of people with such sessions on one day."
    )
    share_before = models.FloatField(
        null=True, help_text="The share of the compared sessions that had the signal, from 0 to 1."
    )
    version_before = models.CharField(max_length=60, blank=True, help_text="The version it is compared with.")
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, choices=End.choices, blank=True, db_default="", default="")

    objects = SilenceQuerySet.as_manager()

    class Meta:
        ordering = ("-since", "agent", "version", "signal", "sender", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "version", "signal", "sender"],
                condition=models.Q(ended_at=None),
                name="silence_is_noticed_once",
            ),
            models.CheckConstraint(
                condition=models.Q(sender="") ^ models.Q(signal=""), name="silence_is_of_a_signal_or_a_sender"
            ),
        ]

    def __str__(self) -> str:
        return self.sender_name or f"{self.agent} {self.version}: {self.signal}"

    @property
    def sender_kind(self) -> str:
        """The kind of sender: token, connection, agent, lines or bill; empty for a version."""
        return self.sender.partition(":")[0]

    @property
    def sender_key(self) -> str:
        """The sender's key within its kind: a primary key, or an agent's slug."""
        return self.sender.partition(":")[2]
