"""Token prices in the database: overrides, snapshots of the price library, and repricings.

Prices are US dollars per million tokens throughout.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from orgtree.models.exclusion import OneAtATime, not_empty

# All list prices are below 1,000 dollars; larger ones are typos.
HIGHEST_PRICE = Decimal(10_000)
RATES = ("input", "cache_read", "cache_write", "cache_write_1h", "output")
LONG_RATES = tuple(f"long_{name}" for name in RATES)


def _price(help_text: str = "") -> models.DecimalField[Any, Any]:
    return models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        help_text=help_text,
        validators=[
            MinValueValidator(Decimal(0), "A price can’t be negative."),
            MaxValueValidator(HIGHEST_PRICE, "That is no price per million tokens: at most 10,000 dollars."),
        ],
    )


class PriceOverride(models.Model):
    """A model's price on these days, overriding the price library.

    The most specific override applies: one for the request's agent before one for all agents, then the longest pattern.
    """

    model = models.CharField(
        max_length=120,
        help_text="The model's name in the agent, such as claude-sonnet-5; * matches any characters: claude-sonnet-*.",
    )
    agent = models.CharField(
        max_length=40,
        blank=True,
        default="",
        help_text="Limits the price to requests of this agent, such as codex; empty: all agents.",
    )
    during = DateRangeField(
        "days",
        help_text="First day, and first day after it. Empty: since the beginning, until further notice.",
    )
    same_as = models.CharField(
        "priced as",
        max_length=120,
        blank=True,
        default="",
        help_text="Another model whose list prices apply instead of prices entered here, such as for a renamed model.",
    )
    input = _price("Per million tokens of uncached input, US dollars.")
    cache_read = _price("Empty: same as uncached input.")
    cache_write = _price("Kept for five minutes. Empty: same as uncached input.")
    cache_write_1h = _price("Kept for an hour. Empty: same as for five minutes.")
    output = _price("Reasoning included.")
    long_above = models.PositiveIntegerField(
        "long prompts",
        null=True,
        blank=True,
        help_text="If a request has more prompt tokens, cached ones included, all its tokens have the prices below.",
    )
    long_input = _price("Empty, here and below: same as in short requests.")
    long_cache_read = _price()
    long_cache_write = _price()
    long_cache_write_1h = _price()
    long_output = _price()
    reason = models.CharField(max_length=300, help_text="The reason, for future reference: a contract, a list price.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    revision = models.PositiveIntegerField(
        default=1, db_default=1, editable=False, help_text="Incremented by each edit."
    )
    noted_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["model", "agent", "during"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            OneAtATime(of=("model", "agent"), name="one_price_override_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="price_override_has_days"),
            models.CheckConstraint(
                condition=~Q(same_as="") | Q(input__isnull=False, output__isnull=False),
                name="price_override_says_prices",
            ),
            models.CheckConstraint(
                condition=Q(
                    *(Q(**{name: None}) | Q(**{f"{name}__gte": 0}) for name in (*RATES, *LONG_RATES)),
                ),
                name="prices_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.agent})" if self.agent else self.model

    def clean(self) -> None:
        self.model, self.same_as = self.model.strip().lower(), self.same_as.strip()
        if not self.model.strip("* "):
            raise ValidationError({"model": "Name a model: * alone would be the price of every model."})
        self._refuse_overlap()
        prices = [name for name in (*RATES, *LONG_RATES) if getattr(self, name) is not None]
        if self.same_as and (prices or self.long_above):
            raise ValidationError({"same_as": "Give another model or prices, not both."})
        if self.same_as:
            return
        for name in ("input", "output"):
            if getattr(self, name) is None:
                raise ValidationError({name: "Give a price, 0 where it costs nothing, or another model above."})
        long_prices = [name for name in LONG_RATES if getattr(self, name) is not None]
        if bool(long_prices) != bool(self.long_above):
            raise ValidationError(
                {"long_above": "Prices of long prompts need the number of tokens above which they hold, and it them."}
            )

    def _refuse_overlap(self) -> None:
        """Validate overlaps with a message; a trigger enforces them."""
        if self.during is None:
            return
        same = PriceOverride.objects.filter(model=self.model, agent=self.agent, during__overlap=self.during)
        other = same.exclude(pk=self.pk).first()
        if other is not None:
            since = f"from {other.during.lower}" if other.during.lower else "from the beginning"
            until = f"until {other.during.upper}" if other.during.upper else "until further notice"
            raise ValidationError(
                {"during": f"Another override of {other} holds {since}, {until}.  End one before the other begins."}
            )


class PriceOverrideChange(models.Model):
    """Audit log of overrides.  Append-only, enforced by the database."""

    class Act(models.TextChoices):
        ADDED = "added", "Added"
        CHANGED = "changed", "Changed"
        REMOVED = "removed", "Removed"

    at = models.DateTimeField(db_default=Now(), editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="+",
        editable=False,
        help_text="Null: a command.",
    )
    override_id = models.BigIntegerField(editable=False)
    revision = models.PositiveIntegerField(editable=False)
    act = models.CharField(max_length=8, choices=Act.choices, editable=False)
    terms = models.JSONField(editable=False, help_text="The values at that time, by field.")

    class Meta:
        verbose_name = "change of a price override"
        verbose_name_plural = "changes of price overrides"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["override_id", "-at"], name="price_change_by_override")
        ]

    def __str__(self) -> str:
        return f"{self.terms.get('model', '')} {self.get_act_display().lower()}"


class PriceVersion(models.Model):
    """The price book of a request: a version of the library, or a revision of an override."""

    name = models.CharField(max_length=80, unique=True, help_text="Such as “genai-prices 0.2.3” or “override 5.2”.")
    noted_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class PriceSnapshot(models.Model):
    """The library's prices of a model that was used; null if the library never knew the model.

    If a later version of the library drops the model, its last known prices stay in use; if it changes them without a
    date, the earlier prices stay in use until the day of that version.
    """

    model = models.CharField(max_length=120, unique=True, help_text="The model's name in agents' telemetry.")
    name = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="The normal form of its name, used for figures; empty: not known yet.",
    )
    library = models.CharField(max_length=60, blank=True, help_text="The last version that knew it.")
    prices = models.JSONField(null=True)
    earlier = models.JSONField(
        null=True,
        help_text="Prices of earlier versions, the oldest first, each with the day until which it stays in use.",
    )
    missing_since = models.CharField(max_length=60, blank=True, default="", help_text="The first version without it.")

    class Meta:
        db_table = "integrations_keptpricelist"

    def __str__(self) -> str:
        return self.model


class AppliedPriceBook(models.Model):
    """The library version and rules by which everything is priced, or is being repriced; one row."""

    library = models.CharField(max_length=60)
    rules = models.PositiveIntegerField()
    time_zone = models.CharField(max_length=80, help_text="Days of overrides are those of the organisation's calendar.")

    class Meta:
        db_table = "integrations_followedpricebook"


class Repricing(models.Model):
    """A queued repricing of requests, and its result; rows stay as history.

    A correction of earlier prices is only computed, and offered to an admin with its sums before and after.
    """

    class Cause(models.TextChoices):
        OVERRIDE = "override", "A price override"
        LIBRARY = "library", "Another version of the price list"
        RULES = "rules", "Another way to price, or another calendar"
        REQUESTED = "asked", "On request"
        CORRECTION = "correction", "A correction of earlier prices"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        AT_WORK = "at_work", "At work"
        DONE = "done", "Done"
        OFFERED = "offered", "Offered"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"

    cause = models.CharField(max_length=10, choices=Cause.choices)
    reason = models.CharField(max_length=400)
    requested_at = models.DateTimeField(db_default=Now(), db_column="asked_at")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_column="asked_by_id"
    )
    # Affected requests: of these models (null: all) and agents on these days.
    model_names = ArrayField(models.CharField(max_length=120), null=True)
    agent = models.CharField(max_length=40, blank=True, default="")
    day_from = models.DateField(null=True, help_text="Null: no start.")
    day_to = models.DateField(null=True, help_text="The first day after it; null: until today.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    after_session = models.BigIntegerField(default=0, help_text="Sessions up to this one are done.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    requests = models.BigIntegerField(default=0, help_text="Requests that were checked.")
    changed = models.BigIntegerField(default=0, help_text="Requests whose price or price book changed.")
    spend_before = models.DecimalField(max_digits=22, decimal_places=10, default=0)
    spend_after = models.DecimalField(max_digits=22, decimal_places=10, default=0)
    unpriced_before = models.BigIntegerField(default=0, help_text="Tokens without a price.")
    unpriced_after = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["-requested_at", "-pk"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["id"], condition=~Q(state="done"), name="repricing_to_do")
        ]

    def __str__(self) -> str:
        return self.reason
