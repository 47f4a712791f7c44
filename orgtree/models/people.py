"""People, what is said of them and when, and the identities by which other systems know them."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from orgtree.models.exclusion import not_empty, one_at_a_time


class PersonQuerySet(models.QuerySet["Person"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Whose page somebody may open: admins everybody's, others that of whoever is in a unit they manage, and
        their own."""
        from orgtree.models.sight import sight_of
        from orgtree.models.units import Placement

        if getattr(user, "is_superuser", False) and user.is_active:
            return self
        sight, today = sight_of(user), timezone.localdate()
        below = Placement.objects.filter(
            person=models.OuterRef("pk"), ancestor__in=sight.managed_ids, during__contains=today
        )
        return self.filter(models.Q(pk=sight.person_id) | models.Exists(below))

    def there_on(self, day: date) -> Self:
        """Who is there on the day; whose employment nobody told of always is."""
        employed = Employment.objects.filter(person=models.OuterRef("pk"))
        return self.filter(models.Exists(employed.filter(during__contains=day)) | ~models.Exists(employed))


class Person(models.Model):
    """Someone in the organisation.  Facts never point here: they point at an identity."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    full_name = models.CharField(max_length=200)
    email = models.EmailField(max_length=320, null=True, blank=True)
    found_at = models.DateTimeField(auto_now_add=True)
    # Whom nobody entered: while nothing else is said of such a person, they may turn out to be somebody known.
    found_in_data = models.BooleanField(default=False, db_default=False, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="account",
        help_text="Only where the account's e-mail address is another one.",
    )

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "people"
        constraints = [models.UniqueConstraint(Lower("email"), name="person_email_is_unique")]

    def __str__(self) -> str:
        return self.full_name


class Employment(models.Model):
    """A stretch of days on which the person is there; the end is the first day no longer.

    Whoever leaves and returns has two.  A person without any (found in synced data) is always there.
    """

    person = models.ForeignKey(Person, models.CASCADE, related_name="employments")
    during = DateRangeField()

    class Meta:
        constraints = [
            one_at_a_time(of=("person_id",), name="employment_once_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="employment_has_days"),
        ]

    def __str__(self) -> str:
        return "Employment"


class Attribute(models.Model):
    """Something that is said of people: role, team, site, or a further column of an imported file."""

    slug = models.SlugField(max_length=80, unique=True, help_text="As in `--where team=Payments` and in the file.")
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.name


class PersonAttribute(models.Model):
    """What holds of a person on these days; a figure of a filter takes whoever it held of at that time."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="attributes")
    attribute = models.ForeignKey(Attribute, models.CASCADE, related_name="values")
    value = models.CharField(max_length=200)
    during = DateRangeField()

    class Meta:
        constraints = [
            one_at_a_time(of=("person_id", "attribute_id"), name="attribute_once_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="attribute_has_days"),
        ]
        indexes = [models.Index(fields=["attribute", "value"])]

    def __str__(self) -> str:
        return self.value


class Reporting(models.Model):
    """Whom a person reports to on these days."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="reporting")
    manager = models.ForeignKey(Person, models.CASCADE, related_name="reports")
    during = DateRangeField()

    class Meta:
        constraints = [
            one_at_a_time(of=("person_id",), name="reporting_once_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="reporting_has_days"),
            models.CheckConstraint(
                condition=~models.Q(person=models.F("manager")), name="nobody_reports_to_themselves"
            ),
        ]

    def __str__(self) -> str:
        return "Manager"


class IdentityKind(models.TextChoices):
    """In the order in which an identity is believed: an address names a person, an installation only a machine."""

    EMAIL = "email", "E-mail address"
    LOGIN = "login", "Login"
    AGENT_ACCOUNT = "agent_account", "Agent account"
    INSTALLATION = "installation", "Agent installation"


class Standing(models.TextChoices):
    """How far it is settled whose an identity is."""

    FOUND = "found", "Found"  # as its names say; who is like it may still be asked
    WAITING = "waiting", "Waiting"  # likely somebody known: until someone decides, nobody's
    DECIDED = "decided", "Decided"  # somebody said whose it is
    BOT = "bot", "Bot"  # somebody said that it is no person


class Identity(models.Model):
    """A name that a system uses for somebody; without a person it is unmatched, and its activity still counts."""

    kind = models.CharField(max_length=20, choices=IdentityKind.choices)
    provider = models.CharField(
        max_length=40, blank=True, help_text="Empty for e-mail addresses, and for a login that holds at every provider."
    )
    value = models.CharField(max_length=320, help_text="E-mail addresses in lower case.")
    person = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="identities")
    found_at = models.DateTimeField(auto_now_add=True)
    seen_name = models.CharField(
        max_length=200, blank=True, db_default="", editable=False, help_text="The name that was signed beside it."
    )
    standing = models.CharField(
        max_length=8, choices=Standing.choices, default=Standing.FOUND, db_default=Standing.FOUND, editable=False
    )
    waits_with = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="companions",
        help_text="The stronger name that it was seen with, while that one waits.",
    )

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(fields=["kind", "provider", "value"], name="identity_is_unique"),
            models.CheckConstraint(
                condition=models.Q(person=None) | models.Q(standing__in=["found", "decided"]),
                name="waiting_identities_and_bots_are_nobody",
            ),
        ]
        indexes = [
            models.Index(Lower("value"), condition=models.Q(kind="login"), name="identity_by_login"),
            models.Index(fields=["standing"], condition=~models.Q(standing="found"), name="identity_by_standing"),
        ]

    def __str__(self) -> str:
        return self.value
