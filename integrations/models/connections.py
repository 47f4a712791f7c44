"""Connections (an account or a path at a provider) and their repositories."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.db import models

from integrations.models.fields import EncryptedField

# Providers without a connector: repositories on this machine, and pushed records.
GIT, PUSH = "git", "push"


class Connection(models.Model):
    """A connection as configured by an admin.

    Local git only needs a path: {"path": "/srv/git/shop.git"}.  `settings` has the fields of the provider's form,
    `secrets` its passwords, tokens and keys, encrypted.
    """

    provider = models.CharField(max_length=40)
    name = models.CharField(max_length=200, unique=True)
    settings = models.JSONField(default=dict)
    secrets = EncryptedField(default=dict, db_default={}, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(
        null=True, editable=False, help_text="When the connection was removed. Its facts stay as they were last read."
    )
    facts_unwanted = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="The connection was removed, but its facts have not been deleted yet.",
    )
    sync_every_minutes = models.PositiveIntegerField(default=15, db_default=15)
    # The last result of "Test connection", as JSON: [{"what", "works", "remedy"}].
    checks = models.JSONField(default=list, db_default=[], editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    discovered_at = models.DateTimeField(null=True, editable=False, help_text="When its resources were last listed.")
    discover_at = models.DateTimeField(null=True, editable=False, help_text="When to list them again; null: never.")
    # For failures of all its resources: a rejected token, an unreachable address.
    failures = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    problem = models.TextField(blank=True, default="", db_default="", editable=False)
    remedy = models.TextField(blank=True, default="", db_default="", editable=False)
    cause = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The cause of the problem: unreachable, wrong_address, refused or another.",
    )
    unplaced_beyond = models.BigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Records discarded because too many were already waiting.",
    )

    def __str__(self) -> str:
        return self.name

    @property
    def interval(self) -> timedelta:
        """The interval between scheduled syncs."""
        return timedelta(minutes=max(self.sync_every_minutes, 1))


# For a repository that is not identified yet.
USUAL_DEFAULT_BRANCHES = frozenset({"main", "master", "trunk"})


class RepositoryQuerySet(models.QuerySet["Repository"]):
    """Looks up repositories by the names that other tools use; case is ignored."""

    def counted(self) -> Self:
        """Repositories that count separately: all except those that are joined with another one."""
        return self.filter(joined_into=None)

    def with_remote(self, remote: str) -> Repository | None:
        """The repository at this address, in the spelling of `remote`."""
        return self.filter(remote__iexact=remote).order_by("pk").first() if remote else None

    def free_name(self, preferred: str) -> str:
        """The preferred name, with a number if it is taken."""
        preferred = preferred[:190]
        used = set(self.filter(name__startswith=preferred).values_list("name", flat=True))
        numbered = (f"{preferred} {number}" for number in range(2, len(used) + 3))
        return next(name for name in (preferred, *numbered) if name not in used)

    def at(self, named: str) -> Repository | None:
        """The repository at this address (host/path), or the only one with this name; for a joined repository, the
        counted one.

        A name may lack the owner, and a pushed repository may have only a name.
        """
        path = named.partition("/")[2] if "." in named.partition("/")[0] else ""
        addressed = self.with_remote(named)
        return (
            (addressed and addressed.counted_as)
            or self._only(name__iexact=named)
            or (self._only(name__iexact=path, remote="") if path else self._only(remote__iendswith=f"/{named}"))
        )

    def _only(self, **conditions: str) -> Repository | None:
        found = {repository.counted_as for repository in self.filter(**conditions).select_related("joined_into")[:10]}
        return found.pop() if len(found) == 1 else None


class Repository(models.Model):
    """One repository of any number of connections, identified by the address of its remote or by its root commit.

    Sources and resources keep their own repository even if an admin joins it with another one: its records then belong
    to the counted repository, with a note of their origin (integrations/models/joined_repositories.py).
    """

    name = models.CharField(max_length=200, unique=True)
    remote = models.CharField(max_length=500, blank=True, help_text="Normalised host and path, without the user.")
    root_sha = models.CharField(max_length=64, blank=True)
    default_branch = models.CharField(max_length=300, blank=True)
    shallow = models.BooleanField(default=False, help_text="History before its oldest commit is not known.")
    joined_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="joined",
        help_text="The repository that its records count for after an admin joined the two; null: itself.",
    )

    objects = RepositoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "repositories"
        indexes = [models.Index(fields=["remote"]), models.Index(fields=["root_sha"])]

    def __str__(self) -> str:
        return self.name

    def is_default(self, branch: str) -> bool:
        """Whether the branch is the default branch; if that is unknown, whether it has a usual name of one."""
        return branch in ({self.default_branch} if self.default_branch else USUAL_DEFAULT_BRANCHES)

    @property
    def counted_as(self) -> Repository:
        """The repository for which its records count: itself, or the one that it is joined with."""
        return self.joined_into or self


class RepositorySource(models.Model):
    """A repository at one connection, and its sync position.

    `refs` only changes in the transaction that stores its commits.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="sources")
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="sources", null=True)
    external_id = models.CharField(max_length=500, help_text="The path, for local git.")
    refs = models.JSONField(default=dict, help_text="The last stored object id of each branch.")
    notes = models.JSONField(default=dict, help_text="The last stored object id of each notes ref.")
    tags = models.JSONField(default=dict, db_default={}, help_text="The last stored commit of each tag.")
    view = models.CharField(
        max_length=64,
        blank=True,
        help_text="Hash of everything that affects how history is read: mailmap, attributes and depth.",
    )
    # Queued for a sync that has not completed since.
    requested_at = models.DateTimeField(null=True, db_column="asked_at")
    synced_at = models.DateTimeField(null=True, help_text="Start of the last successful sync.")
    tried_at = models.DateTimeField(null=True, help_text="Start of the last sync.")
    failures = models.PositiveIntegerField(default=0, help_text="Failed syncs in a row.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="repository_source_is_unique")
        ]

    def __str__(self) -> str:
        return self.external_id


class SyncRun(models.Model):
    """One sync of a repository on disk or of a stream: its progress while running, its outcome afterwards."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        INTERRUPTED = "interrupted", "Interrupted"
        WAITING = "waiting", "Waiting"  # for a rate limit, or for the next slice

    source = models.ForeignKey(RepositorySource, models.CASCADE, null=True, related_name="runs")
    stream = models.ForeignKey("Stream", models.CASCADE, null=True, related_name="runs")
    full = models.BooleanField(default=False, db_default=False, help_text="Whether it is a full sync.")
    state = models.CharField(max_length=12, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(auto_now=True)
    to_read = models.BigIntegerField(default=0)
    read = models.BigIntegerField(default=0)
    added = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    unplaced = models.BigIntegerField(default=0, db_default=0)
    left_out = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="Parts of records that Headway could not interpret; the rest of each record counts.",
    )
    fields_left_out = models.JSONField(default=dict, db_default={}, help_text="Number of such parts by field.")
    requests = models.BigIntegerField(default=0, db_default=0)
    problem = models.TextField(blank=True, help_text="What went wrong and what to do about it.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(source=None) ^ models.Q(stream=None), name="sync_run_reads_one_thing"
            )
        ]
