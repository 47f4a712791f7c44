"""The installation's organisation and its privacy policy."""

from __future__ import annotations

from typing import Self

import pghistory
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

POLICY_FIELDS = ("individual_policy", "minimum_group_size", "members_see", "leaderboard")  # docs/access.md


class IndividualPolicy(models.TextChoices):
    """The visibility of people to each other.  docs/access.md."""

    SELF_ONLY = "self_only", "Self only"
    PSEUDONYMS = "pseudonyms", "Pseudonyms"
    NAMED = "named", "Named"


class MembersSee(models.TextChoices):
    """The aggregates visible to members without a grant."""

    OWN_UNITS = "own_units", "Their own units"
    EVERYTHING = "everything", "Every unit and the whole organisation"


def check_region(region: str) -> None:
    """Refuse a region whose public holidays are not known.  Raises ValidationError."""
    from holidays import list_supported_countries

    country, _, subdivision = region.partition("-")
    known = list_supported_countries()
    if country not in known or (subdivision and subdivision not in known[country]):
        raise ValidationError(f"No public holidays of “{region}” are known: give a code such as DE or DE-BY.")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(*POLICY_FIELDS)),
    fields=[*POLICY_FIELDS],
    model_name="PolicyEvent",
    append_only=True,
)
class Organisation(models.Model):
    """A single row, created by `Organisation.current()` on first use."""

    name = models.CharField(max_length=200, default="Your organisation")
    individual_policy = models.CharField(
        "visibility of individual data",
        max_length=20,
        choices=IndividualPolicy.choices,
        default=IndividualPolicy.PSEUDONYMS,
        help_text="For sessions, tokens, spend and attribution. Self only: nobody sees others' rows. Pseudonyms: "
        "others appear under a name that changes every quarter, without repository, commit, link or time of day. "
        "Named: everybody who may see a team sees names, and figures of any number of people. People always see their "
        "own data.",
    )
    minimum_group_size = models.PositiveSmallIntegerField(
        default=5,
        validators=[MinValueValidator(2)],
        help_text="Figures of fewer people are hidden from others, unless individual data are shown with names. Trial "
        "mode ends for good once this many people have any activity.",
    )
    members_see = models.CharField(
        max_length=20,
        choices=MembersSee.choices,
        default=MembersSee.OWN_UNITS,
        help_text="Aggregates only; individual rows follow the policy. Without any Org Tree members see everything.",
    )
    leaderboard = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Lists developers with figures of their agents, as the policy allows. Off: nobody has it, on no page "
        "and in no export.",
    )
    rules_decided_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When an admin last chose the rules, or to keep them."
    )
    # Larger commits are imports or mass changes, not authored work; they are excluded as bulk.
    bulk_commit_lines = models.PositiveIntegerField(
        default=5_000, help_text="A commit that adds more lines is excluded as bulk."
    )
    bulk_commit_files = models.PositiveIntegerField(
        default=300, help_text="A commit that changes more files is excluded as bulk."
    )
    link_window_hours = models.PositiveSmallIntegerField(
        "incident link window (hours)",
        default=24,
        validators=[MinValueValidator(1)],
        help_text="An incident without a named cause is attributed to the previous deployment of its service, if that "
        "finished within this time.",
    )
    rollout_gap_minutes = models.PositiveSmallIntegerField(
        "rollout gap (minutes)",
        default=30,
        db_default=30,
        help_text="Production deployments of one commit and service within this time count as one rollout.",
    )
    lead_time_history_days = models.PositiveSmallIntegerField(
        "lead time history (days)",
        default=30,
        db_default=30,
        help_text="Changes merged longer before the first known deployment are excluded from lead time: an earlier, "
        "unknown deployment brought them to production.",
    )
    fiscal_year_start_month = models.PositiveSmallIntegerField(
        "fiscal year starts in month",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
        help_text="1 to 12; empty: HEADWAY_FISCAL_YEAR_START_MONTH. Defines quarters on pages, in the API and in "
        "objectives; a quarter with objectives keeps its days. Quarterly figures are recomputed.",
    )
    holidays_in = models.CharField(
        "public holidays of",
        max_length=10,
        blank=True,
        default="",
        db_default="",
        validators=[check_region],
        help_text="A country or region by its ISO code, such as DE or DE-BY. Forecasts count its working days. Empty: "
        "Mondays to Fridays.",
    )
    repository_attributes = models.CharField(
        "attributes that name a repository",
        max_length=400,
        blank=True,
        default="",
        db_default="",
        help_text="Names of attributes in your agents' telemetry, separated by commas, whose value is a repository's "
        "address or name, in addition to those that Headway knows (vcs.repository.url.full, repo.owner with repo.name "
        "…). They apply to new sessions.",
    )
    predicts_work_types = models.BooleanField(
        "predict work types",
        default=False,
        db_default=False,
        help_text="Work items without a label get the work type that a model of their titles predicts, marked as "
        "predicted; it learns from your labels every night. Needs requirements-analysis.txt.",
    )
    benchmark_set = models.CharField(
        max_length=40,
        default="dora-2023",
        help_text="The published benchmarks shown next to your figures. They are a guide, not a target for a team.",
    )
    peers = models.CharField(
        max_length=60,
        default="industry:all",
        help_text="The answers to DORA's Quick Check shown next to your score, by industry or company size.",
    )
    # Set when `minimum_group_size` people first have activity; never unset (trial mode ends once).
    protected_since = models.DateTimeField(null=True, editable=False)
    # Time zone of the stored days; HEADWAY_TIME_ZONE is the configured one.
    calendar_zone = models.CharField(max_length=80, blank=True, editable=False)
    # Raised by orgtree/organisation/people_version.py; caches about people are valid for one version.
    people_version = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)

    # Raised by orgtree/organisation/cached_settings.py; definitions of hand-kept metrics are cached for one version.
    catalogue_version = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        verbose_name = "organisation"
        verbose_name_plural = "organisation"
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="organisation_is_one_row")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> Self:
        return cls.objects.get_or_create(pk=1)[0]
