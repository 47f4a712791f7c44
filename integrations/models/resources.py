"""Resources of connections, their streams of facts, and the providers' rate limits."""

from __future__ import annotations

from django.db import models

from integrations.enums import Kind, ResourceKind
from integrations.models.connections import Connection, Repository
from integrations.models.provider_fact import choices_of, enum_field, text_field
from integrations.models.work_items import Project


class Resource(models.Model):
    """An object that a connection can sync: a repository, project, board, pipeline or service.

    All discovered resources are stored; the selected ones are synced.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="resources", db_index=False)
    kind = enum_field(ResourceKind)
    external_id = models.CharField(max_length=200, help_text="The provider's own id, which survives a rename.")
    name = models.CharField(max_length=500, help_text="The name that people use, such as acme/shop.")
    service = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="For a service, the name under which its records are stored: its first name, which "
        "renaming does not change.",
    )
    former_names = models.JSONField(default=list, db_default=[], help_text="Later names of the service.")
    url = models.TextField(blank=True, default="")
    archived = models.BooleanField(default=False)
    details = models.JSONField(default=dict, help_text="Data that the connector needs later, such as the owner.")
    picked = models.BooleanField(default=False, db_default=False)
    picked_by_hand = models.BooleanField(
        null=True, help_text="An admin's choice, which overrides the connection's rules; null: the rules decide."
    )
    repository = models.ForeignKey(Repository, models.SET_NULL, null=True, related_name="resources")
    project = models.ForeignKey(Project, models.SET_NULL, null=True, related_name="resources")
    found_at = models.DateTimeField(auto_now_add=True)
    gone_at = models.DateTimeField(null=True, help_text="When the provider stopped listing it.")
    hook_id = text_field()
    hook_problem = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "kind", "external_id"], name="resource_is_unique")]

    def __str__(self) -> str:
        return self.name

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of a project, or the keys of a board's projects."""
        return tuple(filter(None, (str(self.details.get("key") or ""), *self.details.get("projects", ()))))


class Stream(models.Model):
    """The facts of one kind of one resource: the sync position, and when it is synced next.

    Also the sync queue: a stream is due from `due_at` on, and in progress while `leased_until` is in the future.
    `cursor` only changes in the transaction that stores its page.
    """

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="streams", db_index=False)
    kind = models.CharField(max_length=24, choices=choices_of(Kind))
    cursor = models.JSONField(default=dict, help_text="The connector's sync position.")
    due_at = models.DateTimeField(null=True, help_text="When to continue; null: only on request.")
    requested_at = models.DateTimeField(
        null=True, db_column="asked_at", help_text="When a sync was requested; null once it is done."
    )
    full_requested = models.BooleanField(
        default=False, db_column="full_asked", help_text="Whether a full sync was requested."
    )
    leased_until = models.DateTimeField(
        null=True, help_text="A worker syncs it until then; after that the worker is presumed dead."
    )
    leased_by = text_field()
    served_at = models.DateTimeField(
        null=True, help_text="When it was last synced. The stream that has waited longest is next."
    )
    failures = models.PositiveIntegerField(default=0, help_text="Failed attempts in a row.")
    # A sync may take several slices.
    reading_since = models.DateTimeField(null=True, help_text="Start of the sync in progress.")
    reading_full = models.BooleanField(
        default=False, db_default=False, help_text="Whether the sync in progress is a full one."
    )
    reading_complete = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Everything was listed; only records that changed in the meantime are still missing.",
    )
    succeeded_at = models.DateTimeField(null=True, help_text="Start of the last completed sync.")
    full_at = models.DateTimeField(null=True, help_text="Start of the last completed full sync.")
    problem = models.TextField(blank=True, default="", help_text="The last problem.")
    remedy = models.TextField(blank=True, default="", help_text="What to do about it.")
    cause = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="The cause of the problem, as for a connection."
    )
    read = models.BigIntegerField(default=0, help_text="Records read by the sync in progress.")
    to_read = models.BigIntegerField(null=True, help_text="Total number of records, if the provider reports it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["resource", "kind"], name="stream_is_unique")]
        indexes = [models.Index(fields=["due_at"], name="stream_by_due")]

    def __str__(self) -> str:
        return f"{self.resource}: {Kind(self.kind).words}"


class SeenRecord(models.Model):
    """A record seen during a full sync in progress; records that it does not see were deleted at the provider."""

    stream = models.ForeignKey(Stream, models.CASCADE, related_name="+", db_index=False)
    external_id = models.CharField(max_length=200)

    class Meta:
        db_table = "integrations_toldrecord"
        constraints = [models.UniqueConstraint(fields=["stream", "external_id"], name="told_record_is_unique")]


class Quota(models.Model):
    """The last rate limit headers of a credential, by budget, such as core or graphql."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="quotas", db_index=False)
    budget = models.CharField(max_length=60)
    limit = models.BigIntegerField(null=True)
    remaining = models.BigIntegerField(null=True)
    resets_at = models.DateTimeField(null=True)
    blocked_until = models.DateTimeField(null=True, help_text="The provider asked Headway to wait until then.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "budget"], name="quota_is_unique")]


class ValueMapping(models.Model):
    """An admin's mapping of a provider's value, which overrides Headway's default."""

    class Subject(models.TextChoices):
        ENVIRONMENT = "environment", "Environment"  # → production, staging, other
        DEPLOYING = "deploying", "Pipeline that deploys"  # → its target environment; empty: none
        LABEL = "label", "Label"  # → work type; empty: none
        ITEM_TYPE = "item_type", "Type of work item"  # → work type
        STATUS = "status", "Status of work items"  # → todo, in progress, done
        SEVERITY = "severity", "Severity"
        ACTIVITY = "activity", "Work in a status"  # → active, waiting
        FOUND_BY = "found_by", "Found by"  # labels, types, projects, reporters → customer, production
        ENDING = "ending", "How items end"  # done statuses and resolutions → delivered, dropped

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="meanings", db_index=False)
    subject = models.CharField(max_length=16, choices=Subject.choices)
    word = models.CharField(max_length=300)
    means = models.CharField(max_length=24, blank=True)

    class Meta:
        db_table = "integrations_meaning"
        constraints = [models.UniqueConstraint(fields=["connection", "subject", "word"], name="meaning_is_unique")]

    def __str__(self) -> str:
        return f"{self.word} → {self.means or 'nothing'}"
