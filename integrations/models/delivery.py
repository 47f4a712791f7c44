"""Pipeline runs with their jobs, deployments with their statuses, incidents and releases."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from integrations.enums import Environment, RunStatus, Severity
from integrations.models.connections import Repository
from integrations.models.provider_fact import ProviderFact, enum_field, native_field, text_field
from orgtree.models import Identity


class PipelineRun(ProviderFact):
    """One attempt of a pipeline (workflow) run; attempts of a run share `run`.

    `title` is the author's title of this run, empty if the provider generated it; `parent` is the `run` of another
    pipeline that started this one.  `deploying_jobs` are the names of its jobs that deploy, or else of those that may,
    unless the pipeline's name already says that it deploys.
    """

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+", db_index=False)
    run = models.CharField(max_length=200)
    attempt = models.IntegerField(default=1, db_default=1)
    name = models.CharField(max_length=300)
    title = text_field(300)
    parent = text_field()
    status = enum_field(RunStatus, default=RunStatus.OTHER, db_default=RunStatus.OTHER)
    native_status = native_field()
    trigger = native_field()
    sha = text_field(64)
    branch = text_field(500)
    started_by = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    deploying_jobs = ArrayField(models.TextField(), default=list, db_default=[])

    class Meta(ProviderFact.Meta):
        indexes = [
            models.Index(fields=["finished_at"], name="pipeline_run_by_finish"),
            models.Index(
                fields=["finished_at"], condition=~models.Q(deploying_jobs=[]), name="pipeline_run_with_deploying"
            ),
            models.Index(fields=["connection", "name"], name="pipeline_run_by_name"),
            models.Index(fields=["repository", "name", "sha", "branch"], name="pipeline_run_by_commit"),
            models.Index(fields=["sha"], condition=~models.Q(sha=""), name="pipeline_run_by_sha"),
        ]


class PipelineJob(models.Model):
    """A job of an attempt; queue time is queued_at → started_at."""

    run = models.ForeignKey(PipelineRun, models.CASCADE, related_name="jobs", db_index=False)
    external_id = models.CharField(max_length=200)
    name = text_field(300)
    status = enum_field(RunStatus)
    native_status = native_field()
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "external_id"], name="pipeline_job_is_unique")]


class DeploymentExclusion(models.TextChoices):
    """Reasons why a successful deployment to production is not counted by itself; empty if it is counted."""

    PART = "part", "Part of another rollout"
    PREPARES = "prepares", "Only plans, migrates or locks"
    TRANSIENT = "transient", "Its environment is for this deployment alone"
    CHANGE = "change", "A change request: another source reports the deployments of its service"


class DeploymentRule(models.TextChoices):
    """The rule by which a pipeline run became a deployment; empty if its source reported the deployment itself."""

    JOB = "job", "its deploying job ran"
    DEFAULT_BRANCH = "default_branch", "no job deploys by its name, and it ran on the default branch"
    RELEASE_BRANCH = "release_branch", "no job deploys by its name, and it ran on a release branch"
    TAG = "tag", "no job deploys by its name, and it ran on a tag"
    UNKNOWN_BRANCH = "unknown_branch", "no job deploys by its name, and its branch is unknown"


class Deployment(ProviderFact):
    """A rollout to an environment, or a part of one, linked to the pipeline run from which it was derived, if any.

    `named_sha` is the commit as its source writes it, `sha` the resolved one.  `run` and `job` are those of the
    pipeline that its source names; `part_of` is the deployment that represents a rollout of several, and its
    `rollout_started_at` is when the first of them started.  A reactivated deployment has an `activation_of`, whose
    statuses say so.  There are no foreign keys: integrations/delivery/rollouts/ recomputes all three in the transaction
    that changes or deletes records.
    """

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+", db_index=False)
    service = text_field()
    environment = enum_field(Environment, default=Environment.OTHER, db_default=Environment.OTHER)
    native_environment = native_field()
    status = enum_field(RunStatus, default=RunStatus.OTHER, db_default=RunStatus.OTHER)
    native_status = native_field()
    named_sha = text_field(200)
    sha = text_field(64)
    names_unknown_commit = models.BooleanField(default=False, db_default=False)
    ref = text_field(500)
    deployed_by = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    rollback_of = text_field()
    fixes = ArrayField(models.TextField(), default=list, db_default=[])
    unplanned = models.BooleanField(null=True)
    task = text_field()
    is_production = models.BooleanField(
        null=True, help_text="Whether end users use the environment, according to its source."
    )
    is_transient = models.BooleanField(
        null=True, help_text="Whether the environment is temporary, according to its source."
    )
    rule = models.CharField(max_length=20, choices=DeploymentRule.choices, blank=True, default="", db_default="")
    pipeline_run = models.OneToOneField(PipelineRun, models.CASCADE, null=True, related_name="deployment")
    run = text_field()
    parent = text_field()
    job = text_field()
    exclusion_reason = models.CharField(
        max_length=10, choices=DeploymentExclusion.choices, blank=True, default="", db_default=""
    )
    part_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="parts", db_constraint=False, db_index=False
    )
    rollout_started_at = models.DateTimeField(
        null=True, help_text="When a finished rollout to production started; if no start is known, when it finished."
    )
    activation_of = models.ForeignKey(
        "self", models.CASCADE, null=True, related_name="activations", db_constraint=False, db_index=False
    )

    class Meta(ProviderFact.Meta):
        indexes = [
            models.Index(fields=["repository", "environment", "finished_at"], name="deployment_by_repository"),
            models.Index(fields=["finished_at"], name="deployment_by_finish"),
            models.Index(fields=["sha"], name="deployment_by_sha"),
            models.Index(
                fields=["finished_at"],
                name="deployment_of_unknown_commit",
                condition=models.Q(names_unknown_commit=True),
            ),
            models.Index(fields=["service", "finished_at"], name="deployment_by_service"),
            models.Index(
                fields=["service", "rollout_started_at"],
                name="rollout_by_service",
                condition=models.Q(rollout_started_at__isnull=False),
            ),
            models.Index(
                fields=["repository", "rollout_started_at"],
                name="rollout_by_repository",
                condition=models.Q(rollout_started_at__isnull=False),
            ),
            models.Index(
                fields=["repository", "service"],
                name="deployment_names_service",
                condition=models.Q(environment="production", finished_at__isnull=False, deleted_at=None)
                & ~models.Q(service=""),
            ),
            models.Index(fields=["rollback_of"], name="deployment_by_rolled_back", condition=~models.Q(rollback_of="")),
            GinIndex(fields=["fixes"], name="deployment_by_fixed", fastupdate=False),
            models.Index(fields=["part_of"], name="deployment_by_rollout", condition=models.Q(part_of__isnull=False)),
            models.Index(
                fields=["activation_of"],
                name="deployment_by_activation",
                condition=models.Q(activation_of__isnull=False),
            ),
        ]


class DeploymentStatus(models.Model):
    """A status of a deployment, from `at` on; `environment` is empty if it is that of the deployment."""

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="statuses", db_index=False)
    external_id = models.CharField(max_length=200)
    at = models.DateTimeField()
    status = enum_field(RunStatus)
    native_status = native_field()
    environment = native_field()
    run = text_field()
    job = text_field()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deployment", "external_id"], name="deployment_status_is_unique")
        ]


class Incident(ProviderFact):
    """An incident; `caused_by` is the external id of the deployment that caused it, if one is named.

    `duplicate_of` is the incident of another connection that counts in its place.  It is no foreign key:
    integrations/delivery/linking/ recomputes it in the transaction that changes or deletes incidents.
    """

    repository = models.ForeignKey(Repository, models.CASCADE, null=True, related_name="+")
    service = text_field()
    key = text_field()
    title = models.TextField(blank=True, default="", db_default="")
    native_status = native_field()
    native_severity = native_field()
    severity = enum_field(Severity, default=Severity.UNKNOWN, db_default=Severity.UNKNOWN)
    provider_severity = enum_field(
        Severity, null=True, db_column="told_severity", help_text="The provider's own value, if it has one."
    )
    started_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    caused_by = text_field()
    duplicate_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="duplicates", db_constraint=False, db_index=False
    )

    class Meta(ProviderFact.Meta):
        indexes = [
            models.Index(
                fields=["duplicate_of"], name="incident_by_counted", condition=models.Q(duplicate_of__isnull=False)
            ),
            models.Index(fields=["started_at"], name="incident_by_start"),
            models.Index(fields=["resolved_at"], name="incident_by_resolution"),
            models.Index(fields=["service", "started_at"], name="incident_by_service"),
            models.Index(fields=["caused_by"], name="incident_by_cause", condition=~models.Q(caused_by="")),
        ]


class Release(ProviderFact):
    """A published version of a repository."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    tag = models.CharField(max_length=300)
    name = text_field(300)
    target = text_field(300)
    is_draft = models.BooleanField(default=False, db_default=False)
    is_prerelease = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
