"""Reports of the collector: machines, and the lines of agents in commits, as counts by file type."""

from __future__ import annotations

from django.db import models

from integrations.models.ingest import IngestToken


class CollectorMachine(models.Model):
    """A developer's machine with the collector, as it last described itself.  Its token identifies the machine and its
    person.
    """

    token = models.OneToOneField(IngestToken, models.CASCADE, related_name="machine")
    version = models.CharField(max_length=20)
    system = models.CharField(max_length=20)
    python = models.CharField(max_length=20)
    agents = models.JSONField(default=dict, help_text="The state of each agent's hooks, and when one last ran.")
    reported_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.token.name


class CollectedLines(models.Model):
    """Lines of one commit by one agent session, as a machine reported them; the commit may not be known yet."""

    token = models.ForeignKey(IngestToken, models.CASCADE, related_name="+")
    sha = models.CharField(max_length=64, db_index=True)
    patch_id = models.CharField(max_length=64)
    agent = models.CharField(max_length=40)
    model = models.CharField(max_length=120, blank=True)
    external_session = models.CharField(max_length=200)
    lines_by_type = models.JSONField(help_text="Lines by file type.")
    received_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["token", "sha", "agent", "external_session"], name="collected_lines_are_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.sha[:12]} {self.agent}"
