"""People, their dated attributes, their identities in other systems, and the files that they are imported from."""

from __future__ import annotations

import uuid
from datetime import date
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone

from orgtree.models.exclusion import OneAtATime, not_empty

if TYPE_CHECKING:
    from orgtree.models.visibility import Visibility


class PersonQuerySet(models.QuerySet["Person"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """People whose page the user may open: admins all, others themselves and members of units they manage."""
        from orgtree.models.visibility import visibility_of

        return self if _is_admin(user) else self.within(visibility_of(user), user)

    def within(self, visibility: Visibility, user: AbstractBaseUser | AnonymousUser | None) -> Self:
        """People whose page the user may open, for a visibility that was read already."""
        from orgtree.models.units import Placement

        if _is_admin(user):
            return self
        today = timezone.localdate()
        below = Placement.objects.filter(
            person=models.OuterRef("pk"), ancestor__in=visibility.managed_ids, during__contains=today
        )
        return self.filter(models.Q(pk=visibility.person_id) | models.Exists(below))

    def there_on(self, day: date) -> Self:
        """People employed on the day; people without any employment always count as employed."""
        employed = Employment.objects.filter(person=models.OuterRef("pk"))
        return self.filter(models.Exists(employed.filter(during__contains=day)) | ~models.Exists(employed))

    def matching(self, words: str) -> Self:
        """People whose name, address or another identity contains every word."""
        people = self
        for word in words.split():
            identities = Identity.objects.filter(person=models.OuterRef("pk"), value__icontains=word)
            named = models.Q(full_name__icontains=word) | models.Q(email__icontains=word)
            people = people.filter(named | models.Exists(identities))
        return people


def _is_admin(user: AbstractBaseUser | AnonymousUser | None) -> bool:
    return bool(user and user.is_active and getattr(user, "is_superuser", False))


class Person(models.Model):
    """A person in the organisation.  Facts reference identities, never people."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    full_name = models.CharField(max_length=200)
    email = models.EmailField(max_length=320, null=True, blank=True)
    found_at = models.DateTimeField(auto_now_add=True)
    # Created from synced data; until anything else is stored, such a person may be merged into a known one.
    found_in_data = models.BooleanField(default=False, db_default=False, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="account",
        help_text="Only if the account has another e-mail address.",
    )

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "people"
        constraints = [models.UniqueConstraint(Lower("email"), name="person_email_is_unique")]

    def __str__(self) -> str:
        return self.full_name


class Employment(models.Model):
    """Days of employment; the end is exclusive.

    A person who leaves and returns has two.  A person without any (found in synced data) is always employed.
    """

    person = models.ForeignKey(Person, models.CASCADE, related_name="employments")
    during = DateRangeField()

    class Meta:
        constraints = [
            OneAtATime(of=("person_id",), name="employment_once_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="employment_has_days"),
        ]

    def __str__(self) -> str:
        return "Employment"


class Leave(models.Model):
    """Days on which a person was not at work, such as a holiday or parental leave; the end is exclusive.

    The reason is not stored.  People's time on these days is not shared over work, and work done on them does not count
    as work outside working hours.
    """

    person = models.ForeignKey(Person, models.CASCADE, related_name="leaves")
    during = DateRangeField()

    class Meta:
        verbose_name_plural = "leave"
        constraints = [
            OneAtATime(of=("person_id",), name="leave_once_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="leave_has_days"),
        ]

    def __str__(self) -> str:
        return "Leave"


class Attribute(models.Model):
    """An attribute of people: role, team, site, or another column of an imported file."""

    slug = models.SlugField(
        max_length=80, unique=True, help_text="The attribute's name as used in `--where team=Payments` and in the file."
    )
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.name


class PersonAttribute(models.Model):
    """A dated attribute value; filters use the value on the day of the fact."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="attributes")
    attribute = models.ForeignKey(Attribute, models.CASCADE, related_name="values")
    value = models.CharField(max_length=200)
    during = DateRangeField()

    class Meta:
        constraints = [
            OneAtATime(of=("person_id", "attribute_id"), name="attribute_once_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="attribute_has_days"),
        ]
        indexes = [models.Index(fields=["attribute", "value"])]

    def __str__(self) -> str:
        return self.value


class Reporting(models.Model):
    """A dated reporting line."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="reporting")
    manager = models.ForeignKey(Person, models.CASCADE, related_name="reports")
    during = DateRangeField()

    class Meta:
        constraints = [
            OneAtATime(of=("person_id",), name="reporting_once_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="reporting_has_days"),
            models.CheckConstraint(
                condition=~models.Q(person=models.F("manager")), name="nobody_reports_to_themselves"
            ),
        ]

    def __str__(self) -> str:
        return "Manager"


class IdentityKind(models.TextChoices):
    """Kinds of identities, strongest first: an address names a person, an installation only a machine."""

    EMAIL = "email", "E-mail address"
    LOGIN = "login", "Login"
    AGENT_ACCOUNT = "agent_account", "Agent account"
    INSTALLATION = "installation", "Agent installation"


class Standing(models.TextChoices):
    """The status of an identity's owner."""

    FOUND = "found", "Found"  # owner resolved from its names; matching may still propose others
    WAITING = "waiting", "Waiting"  # likely a known person; no owner until decided
    DECIDED = "decided", "Decided"  # owner decided by an admin or an import
    BOT = "bot", "Bot"  # decided not to be a person


# Providers that integrations/code/commits/authors.py assigns to signatures without a person.
BOTS_BY_NAME = "git-bot"
_SIGNATURES = {BOTS_BY_NAME: "Signs as a bot", "git": "Signature without an address"}


class Identity(models.Model):
    """A name that another system uses for somebody; unmatched without a person, but its activity counts."""

    kind = models.CharField(max_length=20, choices=IdentityKind.choices)
    provider = models.CharField(
        max_length=40,
        blank=True,
        help_text="Empty for e-mail addresses and for logins that are valid at every provider.",
    )
    value = models.CharField(max_length=320, help_text="E-mail addresses are stored in lower case.")
    person = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="identities")
    found_at = models.DateTimeField(auto_now_add=True)
    seen_name = models.CharField(
        max_length=200, blank=True, db_default="", editable=False, help_text="The name signed with it."
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
        help_text="The stronger identity seen with this one, while nobody has decided on that one.",
    )
    is_shared = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="For an installation that several people share. On its own, it identifies nobody.",
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

    @property
    def source(self) -> str:
        """The identity's kind and provider: E-mail address, or Login at github."""
        if self.provider in _SIGNATURES:
            return _SIGNATURES[self.provider]
        if self.kind == IdentityKind.LOGIN and not self.provider:
            return "Login at every provider"
        kind = IdentityKind(self.kind).label
        return f"{kind} at {self.provider}" if self.provider else kind


class InstallationSigner(models.Model):
    """A name that was seen beside an installation."""

    installation = models.ForeignKey(Identity, models.CASCADE, related_name="+", db_index=False)
    signer = models.ForeignKey(Identity, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["installation", "signer"], name="installation_signer_is_unique")]


class PeopleImport(models.Model):
    """An uploaded file and the fingerprint of its preview.  After applying, only the counts are kept."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    file_name = models.CharField(max_length=200)
    content = models.BinaryField(help_text="The compressed file; empty once applied.")
    effective = models.DateField(null=True, blank=True)
    complete = models.BooleanField(default=False)
    fingerprint = models.CharField(max_length=64, help_text="Fingerprint of the changes shown in the preview.")
    counts = models.JSONField(default=dict)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    uploaded_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-uploaded_at",)

    def __str__(self) -> str:
        return self.file_name
