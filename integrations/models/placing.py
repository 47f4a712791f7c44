"""Records that name a repository or service of another connection: waiting records, and admins' rules."""

from __future__ import annotations

from typing import Any

from django.core.validators import MinLengthValidator
from django.db import models

from integrations.enums import Kind
from integrations.models.connections import Connection, Repository
from integrations.models.provider_fact import choices_of, text_field

LONGEST_NAMED = 500


class UnplacedReason(models.TextChoices):
    """Reasons why a record has no place yet."""

    UNKNOWN = "unknown", "No connection knows it"
    AMBIGUOUS = "ambiguous", "Several repositories have this name"
    RULES = "rules", "Rules contradict each other"
    NAMELESS = "nameless", "It names no repository"
    FAILED = "failed", "It could not be stored"


class UnplacedRecordQuerySet(models.QuerySet["UnplacedRecord"]):
    """Waiting records; those of removed connections wait until these are connected again, and are not counted."""

    def waiting(self) -> UnplacedRecordQuerySet:
        return self.filter(connection__removed_at=None)

    def counts(self) -> models.QuerySet[UnplacedRecord, Any]:
        """Rows {"connection", "kind", "reason", "number"}: the number of waiting records."""
        grouped = self.waiting().order_by().values("connection", "kind", "reason")
        return grouped.annotate(number=models.Count("pk")).order_by("connection", "kind", "reason")


class UnplacedRecord(models.Model):
    """A record of an unknown repository or project, with its drafts, until it can be placed.

    An incident is stored anyway, and waits only for its repository.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="unplaced", db_index=False)
    kind = models.CharField(max_length=24, choices=choices_of(Kind))
    external_id = models.CharField(max_length=200)
    named = text_field(LONGEST_NAMED)  # the repository or project, without credentials; empty: none
    source = text_field(300)  # its pipeline or service
    reason = models.CharField(max_length=10, choices=UnplacedReason.choices)
    detail = models.TextField(blank=True, default="", db_default="", help_text="The reason, with names.")
    drafts = models.JSONField(default=list, help_text="The drafts as they arrived (integrations/intake/tables.py).")
    stored = models.BooleanField(
        default=False,
        db_default=False,
        help_text="A rule had placed it before, so it is already stored but marked as deleted.",
    )
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0, db_default=0)
    next_try_at = models.DateTimeField(
        null=True, help_text="When to try again after a failure; null: as soon as it can be placed."
    )

    objects = UnplacedRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "external_id"], name="unplaced_record_is_unique")
        ]
        indexes = [models.Index(fields=["connection", "kind", "named"], name="unplaced_by_name")]

    def __str__(self) -> str:
        return f"{Kind(self.kind).value} {self.external_id}"


class RepositoryAlias(models.Model):
    """A former name of a renamed repository: host/path or a name, spelled as by `normal_name`."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=LONGEST_NAMED)

    class Meta:
        verbose_name_plural = "repository aliases"
        constraints = [models.UniqueConstraint(fields=["name", "repository"], name="repository_alias_is_unique")]

    def __str__(self) -> str:
        return self.name


class PlacingRule(models.Model):
    """An admin's rule for a name that neither an address nor a known name resolves."""

    class Subject(models.TextChoices):
        REPOSITORY = "repository", "Repository"
        SERVICE = "service", "Service"

    subject = models.CharField(max_length=10, choices=Subject.choices, default=Subject.REPOSITORY)
    connection = models.ForeignKey(
        Connection, models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty: all connections."
    )
    pattern = models.CharField(
        max_length=LONGEST_NAMED,
        validators=[MinLengthValidator(1)],
        help_text="The whole name, or a pattern with * and ?. Case, https:// and .git are ignored.",
    )
    repository = models.ForeignKey(
        Repository,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="The repository that the name refers to.",
    )
    service = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="The service that the name refers to."
    )

    class Meta:
        verbose_name = "matching rule"
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "connection", "pattern"], nulls_distinct=False, name="placing_rule_is_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(subject="repository", repository__isnull=False, service="")
                | (models.Q(subject="service", repository=None) & ~models.Q(service="")),
                name="placing_rule_has_one_target",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pattern} → {self.repository or self.service}"


class RuledRecord(models.Model):
    """A record whose repository or service a rule decided; it is placed again when the rule is changed or deleted."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=24, choices=choices_of(Kind))
    external_id = models.CharField(max_length=200)
    subject = models.CharField(max_length=10, choices=PlacingRule.Subject.choices)
    named = text_field(LONGEST_NAMED)
    source = text_field(300)
    target = text_field()  # the repository's id, or the service's name
    drafts = models.JSONField(default=list, help_text="Only for commits, which belong to no single connection.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "external_id", "subject"], name="ruled_record_is_unique"
            )
        ]
        indexes = [models.Index(fields=["connection", "subject", "named"], name="ruled_by_name")]
