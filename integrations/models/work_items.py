"""Work items (issues, tickets, stories) with their history, and sprints."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from integrations.enums import ItemField, Priority, ReportedOutcome, SprintState, StatusCategory, WorkType
from integrations.models.connections import Connection, Repository
from integrations.models.provider_fact import ProviderFact, enum_field, native_field, text_field
from orgtree.models import Identity


class Project(models.Model):
    """A container of work items: a project of an issue tracker, or the issues of a repository."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="projects", db_index=False)
    external_id = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    name = models.CharField(max_length=300)
    repository = models.ForeignKey(Repository, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="project_is_unique")]

    def __str__(self) -> str:
        return self.name


class WorkItem(ProviderFact):
    """One work item.  `key` is used in branches and titles, and unique per connection."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="items")
    key = models.CharField(max_length=200)
    former_keys = ArrayField(models.TextField(), default=list, db_default=[])
    title = models.TextField(blank=True, default="", db_default="")
    native_type = native_field()
    work_type = enum_field(
        WorkType,
        default=WorkType.OTHER,
        db_default=WorkType.OTHER,
        help_text="According to the connection's value mappings.",
    )
    native_status = native_field()
    status_category = enum_field(StatusCategory, default=StatusCategory.TODO, db_default=StatusCategory.TODO)
    first_category = enum_field(
        StatusCategory,
        default=StatusCategory.TODO,
        db_default=StatusCategory.TODO,
        help_text="The category of the status in which it was created.",
    )
    provider_category = enum_field(
        StatusCategory, null=True, db_column="told_category", help_text="The provider's own category, if it has one."
    )
    provider_first_category = enum_field(StatusCategory, null=True, db_column="told_first_category")
    native_priority = native_field()
    priority = enum_field(Priority, default=Priority.UNKNOWN, db_default=Priority.UNKNOWN)
    resolution = native_field()
    estimate = models.FloatField(null=True, help_text="The estimate in the provider's unit, usually points.")
    parent_key = text_field()
    native_team = native_field()
    due_on = models.DateField(null=True)
    versions = ArrayField(models.TextField(), default=list, db_default=[])
    release_on = models.DateField(null=True, help_text="The earliest release date of its versions.")
    reporter = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    assignee = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+")
    labels = ArrayField(models.TextField(), default=list, db_default=[])
    components = ArrayField(
        models.TextField(), default=list, db_default=[], help_text="Names of the components of its project."
    )
    has_description = models.BooleanField(null=True)
    comment_count = models.IntegerField(null=True)
    created_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta(ProviderFact.Meta):
        indexes = [
            models.Index(fields=["key"], name="work_item_by_key"),
            models.Index(fields=["parent_key"], condition=~models.Q(parent_key=""), name="work_item_by_parent"),
            GinIndex(fields=["former_keys"], name="work_item_by_former_key", fastupdate=False),
            models.Index(fields=["resolved_at"], name="work_item_by_resolution"),
            models.Index(fields=["created_at"], name="work_item_by_creation"),  # for the earliest one
        ]


class WorkItemTransition(models.Model):
    """A change of status; its category is that of `to_status`, by the connection's mapping."""

    work_item = models.ForeignKey(WorkItem, models.CASCADE, related_name="transitions", db_index=False)
    at = models.DateTimeField()
    from_status = native_field()
    to_status = native_field()
    category = enum_field(StatusCategory, null=True)
    provider_category = enum_field(
        StatusCategory, null=True, db_column="told_category", help_text="The provider's own category, if it has one."
    )
    by = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    position = models.IntegerField(default=0, db_default=0, help_text="Order among changes at the same moment.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["work_item", "at", "from_status", "to_status"], name="work_item_transition_is_unique"
            )
        ]


class WorkItemAssignment(models.Model):
    """The assignee from `at` until the next assignment; null if there is none."""

    work_item = models.ForeignKey(WorkItem, models.CASCADE, related_name="assignments", db_index=False)
    at = models.DateTimeField()
    assignee = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    position = models.IntegerField(default=0, db_default=0, help_text="Order among changes at the same moment.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["work_item", "at", "assignee"], name="work_item_assignment_is_unique", nulls_distinct=False
            )
        ]


class Sprint(ProviderFact):
    """A sprint of a board."""

    board = models.CharField(max_length=200)
    name = text_field(300)
    state = enum_field(SprintState)
    native_state = native_field()
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta(ProviderFact.Meta):
        indexes = [models.Index(fields=["connection", "board"], name="sprint_by_board")]


class ReportedSprintItem(models.Model):
    """A work item, given by key, in the tracker's own report of a closed sprint; it may not be stored."""

    sprint = models.ForeignKey(Sprint, models.CASCADE, related_name="reported", db_index=False)
    key = models.CharField(max_length=200)
    outcome = enum_field(ReportedOutcome)
    added = models.BooleanField(help_text="Whether it was added after the start, according to the report.")
    first_points = models.FloatField(null=True, help_text="Its estimate at the start, or when it was added.")
    last_points = models.FloatField(null=True, help_text="Its estimate when the sprint was closed.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sprint", "key"], name="reported_sprint_item_is_unique")]


class SprintChange(models.Model):
    """A work item, given by external id, that entered or left a sprint; the sprint may not be stored yet."""

    work_item = models.ForeignKey(WorkItem, models.CASCADE, related_name="sprint_changes", db_index=False)
    at = models.DateTimeField()
    sprint = models.CharField(max_length=200)
    added = models.BooleanField()
    by = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["work_item", "at", "sprint", "added"], name="sprint_change_is_unique")
        ]
        indexes = [models.Index(fields=["sprint"], name="sprint_change_by_sprint")]


class WorkItemChange(models.Model):
    """A change of an estimate, type, priority or version, in the provider's terms; empty means none."""

    work_item = models.ForeignKey(WorkItem, models.CASCADE, related_name="changes", db_index=False)
    at = models.DateTimeField()
    field = enum_field(ItemField)
    before = native_field()
    after = native_field()
    by = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["work_item", "at", "field", "before", "after"], name="work_item_change_is_unique"
            )
        ]
