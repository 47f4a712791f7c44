"""Defining, changing and removing hand-kept metrics, by executives and admins; a change is visible everywhere at
once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Max, Min, Q

from core.authorship import changes_by
from core.write_errors import ConflictError, FieldError, MayNotWriteError
from integrations.models import FactFamily, HandKeptMetric
from integrations.models.hand_kept import KEY_PREFIX, LONGEST_VALIDITY_DAYS
from integrations.outbox.fact_changes import Change, append_changes
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from orgtree.organisation.cached_settings import raise_catalogue_version

WHO_DEFINES = "Hand-kept metrics are defined by executives and admins."
MEANT_OTHERWISE = ("better", "valid_days")  # a change of these is a new version of the formula
MOST_KEEPERS = 50


def may_define(access: Access) -> bool:
    return isinstance(access.viewer, User) and access.visibility.leads_whole


def metric_by_key(key: str) -> HandKeptMetric | None:
    """The definition of that key, `hand.` included."""
    if not key.startswith(KEY_PREFIX) or "\0" in key:
        return None
    return HandKeptMetric.objects.filter(slug=key.removeprefix(KEY_PREFIX)).first()


def keepers_of(metric: HandKeptMetric) -> Sequence[str]:
    """The names of the metric's keepers, in alphabetical order."""
    return sorted(names_of(_accounts(metric)).values())


def keeper_addresses(metric: HandKeptMetric) -> list[str]:
    return sorted(map(address_of, _accounts(metric)))


def address_of(account: User) -> str:
    """The address by which a keeper is named."""
    return account.email or account.get_username()


def define_metric(access: Access, fields: Mapping[str, Any]) -> HandKeptMetric:
    """Create a metric; `fields` are those of the model, `keepers` e-mail addresses or names of accounts.

    Raises FieldError, MayNotWriteError.
    """
    author, keepers = _author(access), _keepers(fields.get("keepers", ()))
    metric = HandKeptMetric(**_tidied(fields))
    _validate(metric)
    with changes_by(author):
        metric.save()
        metric.keepers.set(keepers)
        raise_catalogue_version()
    return metric


def change_metric(
    access: Access, metric: HandKeptMetric, fields: Mapping[str, Any], *, of_version: int
) -> HandKeptMetric:
    """Change these fields: all except the slug, and the unit of measure only while there are no values.

    Raises the errors of `define_metric`, and ConflictError if `of_version` is not the stored version.
    """
    author, keepers, written = _author(access), _keepers(fields.get("keepers", ())), _tidied(fields)
    with changes_by(author):
        stored = HandKeptMetric.objects.select_for_update().get(pk=metric.pk)
        if stored.version != of_version:
            raise ConflictError("Somebody changed this metric while you were editing.", stored)
        changed = {name for name, value in written.items() if value != getattr(stored, name)}
        if "slug" in changed:
            raise FieldError("slug", "The key cannot be changed: key results and benchmarks name it.")
        if "unit_of_measure" in changed and stored.values.exists():
            raise FieldError(
                "unit_of_measure", "Values have been entered in the present unit. Define another metric instead."
            )
        for name in changed:
            setattr(stored, name, written[name])
        stored.version += 1
        stored.formula_version += not changed.isdisjoint(MEANT_OTHERWISE)
        _validate(stored)
        save_definition(stored)
        if "keepers" in fields:
            stored.keepers.set(keepers)
        raise_catalogue_version()
    return stored


def save_definition(metric: HandKeptMetric) -> None:
    """Save the definition; its values may hold on other days from now on."""
    with announcing([metric.pk]):
        metric.save()


def remove_metrics(metrics: Collection[int], *, by: User | None) -> None:
    """Remove these metrics (ids) with their values.  The history keeps both."""
    with changes_by(by), announcing(metrics):
        HandKeptMetric.objects.filter(pk__in=metrics).delete()
        raise_catalogue_version()


@contextmanager
def announcing(metrics: Collection[int]) -> Iterator[None]:
    """Wraps a change of these metrics in a transaction; the days on which one of their values may hold count as
    changed.
    """
    days = HandKeptMetric.objects.filter(pk__in=metrics).aggregate(first=Min("values__day"), last=Max("values__day"))
    yield
    if days["first"] is not None:
        end = days["last"] + timedelta(days=LONGEST_VALIDITY_DAYS)
        append_changes([Change(FactFamily.HAND_KEPT, days["first"], end)])


def _author(access: Access) -> User:
    if not (isinstance(access.viewer, User) and may_define(access)):
        raise MayNotWriteError(WHO_DEFINES)
    return access.viewer


def _accounts(metric: HandKeptMetric) -> list[User]:
    return list(cast(Iterable[User], metric.keepers.all()))  # prefetched by lists


def _tidied(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without keepers, in one spelling."""
    tidied = {name: value for name, value in fields.items() if name != "keepers"}
    tidied |= {name: " ".join(fields[name].split()) for name in ("name", "meaning") if name in fields}
    if "slug" in fields:
        tidied["slug"] = fields["slug"].strip().removeprefix(KEY_PREFIX)
    return tidied


def _validate(metric: HandKeptMetric) -> None:
    """Raise FieldError with the first problem that the model finds."""
    try:
        metric.full_clean()
    except ValidationError as problem:
        field, messages = next(iter(problem.message_dict.items()))
        if field == "slug" and HandKeptMetric.objects.exclude(pk=metric.pk).filter(slug=metric.slug).exists():
            raise FieldError("slug", "There is a hand-kept metric of that key already.") from None
        raise FieldError("" if field == "__all__" else field, messages[0]) from None


def _keepers(words: Sequence[str]) -> list[User]:
    if len(words) > MOST_KEEPERS:
        raise FieldError("keepers", f"At most {MOST_KEEPERS} accounts.")
    keepers = []
    for word in dict.fromkeys(name for name in (word.strip() for word in words) if name):
        named = User.objects.filter(Q(email__iexact=word) | Q(username=word), is_active=True)
        account = named.order_by("pk").first() if "\0" not in word else None
        if account is None:
            raise FieldError("keepers", f"There is no account {word[:100]}. Name it by its e-mail address.")
        keepers.append(account)
    return keepers
