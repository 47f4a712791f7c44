"""Ingest tokens."""

from __future__ import annotations

from django.db import models

from orgtree.models import Identity


class IngestScope(models.TextChoices):
    """The data that a token may send."""

    TELEMETRY = "telemetry", "Telemetry of agents"
    PUSH = "push", "Pushed records"
    COLLECTOR = "collector", "Reports of the collector"


class IngestToken(models.Model):
    """An ingest token, stored as SHA-256; the secret is shown once, on creation."""

    name = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    hint = models.CharField(
        max_length=12, editable=False, help_text="The last characters of the token, by which you can recognise it."
    )
    scope = models.CharField(
        max_length=10,
        choices=IngestScope.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Empty: everything, as for tokens created before scopes existed.",
    )
    changes_all = models.BooleanField(
        "may change all records",
        default=False,
        db_default=False,
        help_text="For pushed records: whether the token can also change and delete records of other tokens.",
    )
    # A separate identity of its person, so that the token follows when people are merged or split.
    identity = models.ForeignKey(
        Identity,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        help_text="All telemetry sent with it counts for this identity's person; empty: for the person named in it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    # For personal tokens.
    other_claims = models.BigIntegerField("records that claim another address", default=0, db_default=0, editable=False)
    last_claim = models.CharField("last of these addresses", max_length=400, blank=True, db_default="", editable=False)
    # Bounds: integrations/telemetry/otlp/store_names.py
    LONGEST_FOLDED = 220
    most_new_names = models.PositiveIntegerField(
        "new names a day",
        null=True,
        blank=True,
        default=200,
        db_default=200,
        help_text="Limit on new names of models, of agents and of tools in its telemetry per day (UTC); "
        "further ones count as “other”. Empty: any number.",
    )
    folded_records = models.BigIntegerField("records counted as “other”", default=0, db_default=0, editable=False)
    last_folded = models.CharField(
        "last of these names", max_length=LONGEST_FOLDED, blank=True, db_default="", editable=False
    )
    last_folded_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"


class KnownName(models.Model):
    """A name of a model (in its normal form), agent or tool in telemetry, and the first token that sent it.

    There is no token if the name was known before names were limited, or if the token was deleted.
    """

    class Kind(models.TextChoices):
        MODEL = "model", "Model"
        AGENT = "agent", "Agent"
        TOOL = "tool", "Tool"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=200)
    token = models.ForeignKey(IngestToken, models.SET_NULL, null=True, related_name="+", db_index=False)
    day = models.DateField(null=True, help_text="The day (UTC) on which it arrived.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="known_name_is_unique")]
        indexes = [models.Index(fields=["token", "day"], name="known_name_by_token")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class PushedRecord(models.Model):
    """The token that first pushed a record: integrations/push/own_records.py."""

    token = models.ForeignKey(IngestToken, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=24)
    external_id = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "external_id"], name="pushed_record_has_one_writer")]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"
