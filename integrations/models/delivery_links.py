"""Tables derived from delivery records: first deployments, failed deployments, and how each was determined.

integrations/delivery/linking/ updates these tables in the transaction that changes their inputs.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from integrations.enums import Kind, WorkType
from integrations.models.code import Commit
from integrations.models.connections import Connection, Repository
from integrations.models.delivery import Deployment, Incident
from integrations.models.provider_fact import enum_field
from integrations.models.pull_requests import PullRequest


class CommitPlace(models.Model):
    """The position of an object id in the history of a repository.

    The first-parent chain of the default branch is numbered, oldest first.  `position` is that of the chain commit that
    merged this one (its own if it is on the chain); null if it is not on the default branch.  `base` is the newest
    position of the chain among the commit and its ancestors; null if there is none.  So a commit with base b contains
    everything with a position of at most b.

    Ids known only as a parent have a place too, because it says what they do not contain.
    """

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+", db_index=False)
    sha = models.CharField(max_length=64)
    position = models.IntegerField(null=True)
    base = models.IntegerField(null=True)
    on_chain = models.BooleanField(default=False)
    parents_known = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["repository", "sha"], name="commit_place_is_unique")
        ]
        # The tip and unmerged commits are looked up for every pushed commit.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["repository", "position"], name="commit_place_by_position")
        ]


class PlacingWork(models.Model):
    """Queue of large repositories whose commits must be renumbered."""

    repository = models.OneToOneField(Repository, models.CASCADE, primary_key=True, related_name="+")


class DeploymentMethod(models.TextChoices):
    """Ways to determine that a deployment contains a merge."""

    CHAIN = "chain", "Position on the default branch"
    GRAPH = "graph", "Commit graph, beside the default branch"
    PICK = "pick", "Commit graph, of a copy (cherry-pick, or the branch's own head)"
    TIME = "time", "First deployment that started after the merge"


class DeployedPullRequest(models.Model):
    """The first successful production deployment that contains the merge of a pull request.

    There are no foreign keys, because checking two per row took half the time of linking everything.  Deleting records
    also deletes their links (integrations/delivery/linking/unlink.py), which can be recomputed at any time.
    """

    pull_request = models.OneToOneField(
        PullRequest, models.CASCADE, primary_key=True, related_name="deployed", db_constraint=False
    )
    deployment = models.ForeignKey(
        Deployment, models.CASCADE, related_name="deployed_pull_requests", db_constraint=False
    )
    method = models.CharField(max_length=10, choices=DeploymentMethod.choices)
    deployed_at = models.DateTimeField(help_text="When the deployment finished.")
    deployed_on = models.DateField(help_text="The local day on which the deployment finished.")
    predates = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Merged long before the first known deployment: an earlier, unknown one contained it.",
    )

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["deployed_on"], name="deployed_by_day")]


class DeployedPush(models.Model):
    """The first successful production deployment that contains a commit pushed directly to the default branch.

    Used for repositories whose owners agreed to work without pull requests (docs/decisions/0048).  There are no foreign
    keys to records that are deleted by the thousands, as in DeployedPullRequest.
    """

    commit = models.OneToOneField(Commit, models.CASCADE, primary_key=True, related_name="+", db_constraint=False)
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    first_commit_at = models.DateTimeField(null=True, help_text="Earliest author time of its commits.")
    pushed_at = models.DateTimeField(help_text="Its committer time, or when it was first seen if that was earlier.")
    work_type = enum_field(WorkType, default=WorkType.OTHER, db_default=WorkType.OTHER)
    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="+", db_constraint=False)
    method = models.CharField(max_length=10, choices=DeploymentMethod.choices)
    deployed_at = models.DateTimeField(help_text="When the deployment finished.")
    deployed_on = models.DateField(help_text="The local day on which the deployment finished.")
    predates = models.BooleanField(
        help_text="Pushed long before the first known deployment: an earlier, unknown one contained it."
    )

    class Meta:
        verbose_name_plural = "deployed pushes"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["deployed_on"], name="push_deployed_by_day")]


class PullRequestOrigin(models.Model):
    """The times at which a pull request's first linked work item was created, and was first in progress."""

    pull_request = models.OneToOneField(PullRequest, models.CASCADE, primary_key=True, related_name="origin")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)


class FailureMethod(models.TextChoices):
    """Ways to determine that a deployment failed, most reliable first."""

    EXPLICIT = "explicit", "The incident names the deployment"
    ROLLBACK = "rollback", "A deployment rolled it back"
    HOTFIX = "hotfix", "A deployment fixed it"
    WINDOW = "window", "An incident began during it or soon after"


class DeploymentFailure(models.Model):
    """A production deployment that caused an incident, or a successful one that another deployment repaired.

    An incident has at most one row: it is attributed to one deployment.
    """

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="failures")
    method = models.CharField(max_length=10, choices=FailureMethod.choices)
    incident = models.OneToOneField(Incident, models.CASCADE, null=True, related_name="failure")
    repaired_by = models.ForeignKey(Deployment, models.CASCADE, null=True, related_name="repairs")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["deployment", "repaired_by"], name="deployment_failure_by_repair"),
            models.CheckConstraint(
                condition=models.Q(incident=None) ^ models.Q(repaired_by=None), name="deployment_failure_has_one_cause"
            ),
        ]


class FailedDeployment(models.Model):
    """A failed deployment, and when service was restored.

    `restored_at` is when the last of its incidents was resolved; without an incident, when the first rollback or fix
    finished; null if one of its incidents is unresolved.  `recovery_seconds` counts from the end of the deployment, or
    from the start of its first incident if that is earlier; null if service is not restored, or was restored before
    that.
    """

    deployment = models.OneToOneField(Deployment, models.CASCADE, primary_key=True, related_name="failed")
    method = models.CharField(
        max_length=10,
        choices=FailureMethod.choices,
        help_text="The most reliable of the methods that found its failures.",
    )
    restored_at = models.DateTimeField(null=True)
    restored_on = models.DateField(null=True, help_text="The local day on which service was restored.")
    recovery_seconds = models.FloatField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["restored_on"], name="restored_by_day")]


class ProposedRollback(models.Model):
    """An older state that was deployed again without a stated reason.  Counts as a rollback once confirmed."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        CONFIRMED = "confirmed", "Confirmed: it was a rollback"
        REFUSED = "refused", "Refused: it was none"

    deployment = models.OneToOneField(Deployment, models.CASCADE, primary_key=True, related_name="proposed_rollback")
    rolled_back = models.ForeignKey(
        Deployment, models.CASCADE, related_name="+", help_text="The deployment that was in production before this one."
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED, db_default=State.PROPOSED)
    decided_by = models.TextField(
        blank=True, default="", db_default="", help_text="The admin who confirmed or refused it."
    )
    decided_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.deployment} → {self.rolled_back}"


class RepeatedReport(models.Model):
    """Records of a connection that another connection reports as well: deployments of a repository, or incidents of a
    service or, if one connection names no service, of a repository.

    They count once, with the values of `reported_by`, unless an admin counts them separately.  Written together with
    the counted records: integrations/delivery/rollouts/recompute.py and
    integrations/delivery/linking/repeated_incidents.py.
    """

    class State(models.TextChoices):
        ONCE = "once", "Count once"
        APART = "apart", "Count apart"

    kind = models.CharField(
        max_length=20,
        choices=[(Kind.DEPLOYMENT.value, "Deployments"), (Kind.INCIDENT.value, "Incidents")],
        default=Kind.DEPLOYMENT,
        db_default=Kind.DEPLOYMENT.value,
    )
    repository = models.ForeignKey(Repository, models.CASCADE, null=True, related_name="+")
    service = models.CharField(max_length=200, blank=True, default="", db_default="")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    reported_by = models.ForeignKey(
        Connection, models.CASCADE, related_name="+", help_text="The connection whose records count."
    )
    records = models.PositiveIntegerField()
    last_at = models.DateTimeField(help_text="When the last deployment finished, or the last incident started.")
    state = models.CharField(max_length=5, choices=State.choices, default=State.ONCE, db_default=State.ONCE)
    decided_by = models.TextField(
        blank=True, default="", db_default="", help_text="The admin who decided how they count."
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["kind", "repository", "service", "connection", "reported_by"],
                name="repeated_report_is_unique",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.repository or self.service}: {self.connection} and {self.reported_by}"


class ServicePaths(models.Model):
    """The paths of a repository from which a service is built.

    A pull request that touches the paths of services is deployed with one of these services; a pull request that
    touches none of them is deployed with anything of the repository.
    """

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="service_paths")
    service = models.CharField(max_length=200)
    patterns = ArrayField(
        models.CharField(max_length=500),
        help_text="Patterns as in a .gitignore file: services/cart/, libs/**/*.py, !libs/docs/**.",
    )

    class Meta:
        verbose_name = "service paths"
        verbose_name_plural = "service paths"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["repository", "service"], name="service_paths_are_unique")
        ]

    def __str__(self) -> str:
        return f"{self.repository}: {self.service}"


class TouchedService(models.Model):
    """A service whose paths a pull request touches, in a repository that has `ServicePaths`."""

    pull_request = models.ForeignKey(PullRequest, models.CASCADE, related_name="touched_services", db_index=False)
    service = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["pull_request", "service"], name="touched_service_is_unique")
        ]


class LinkingRules(models.Model):
    """The version of the linking rules last applied to all records: one row, written when done."""

    version = models.PositiveIntegerField()
    time_zone = models.CharField(max_length=80, help_text="Time zone of the days of links.")
    link_window_hours = models.PositiveIntegerField()
    rollout_gap_minutes = models.PositiveIntegerField(default=30, db_default=30)
    lead_time_history_days = models.PositiveIntegerField(default=30, db_default=30)
    holidays_in = models.CharField(max_length=10, blank=True, default="", db_default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(pk=1), name="linking_rules_are_one_row")
        ]
