"""Titles, owners and readers of dashboards and saved views.

What readers see depends on their own rights, so sharing never shows anybody more figures.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User

from core.authorship import changes_by
from core.write_errors import FieldError, MayNotWriteError, checked_text
from insights.models import Dashboard, SavedView, SharedWith
from insights.models.sharing import LONGEST_TITLE
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.models import Unit

MOST_SHARES = 50
SharedThing = Dashboard | SavedView


def may_change(access: Access, thing: SharedThing) -> bool:
    viewer = access.viewer
    return isinstance(viewer, User) and (viewer.is_superuser or thing.owner_id == viewer.pk)


def check_may_change(access: Access, thing: SharedThing) -> None:
    if not may_change(access, thing):
        raise MayNotWriteError(thing.may_not_change)


def account_of(access: Access) -> User:
    if not isinstance(access.viewer, User):
        raise MayNotWriteError("Dashboards and saved views belong to accounts: this token acts for none.")
    return access.viewer


def checked_title(title: object) -> str:
    """The title as one line.  Raises FieldError."""
    if title is not None and not isinstance(title, str):
        raise FieldError("title", "It must be a text.")
    return " ".join(checked_text("title", title or "", LONGEST_TITLE, missing="It needs a title.").split())


def share_with(access: Access, thing: SharedThing, *, roles: Iterable[str], units: Iterable[str]) -> None:
    """Share it with these roles and units (slugs), and with nobody else.

    Raises FieldError for a role or unit that is unknown to the account, unless it is already shared with it.
    """
    account = account_of(access)
    check_may_change(access, thing)
    wanted_roles, slugs = list(dict.fromkeys(roles)), list(dict.fromkeys(units))
    for role in wanted_roles:
        if role not in SharedWith.values:
            raise FieldError("roles", f"There is no role “{role[:40]}”: use {', '.join(SharedWith.values)}.")
    if len(wanted_roles) + len(slugs) > MOST_SHARES:
        raise FieldError("units", f"It can be shared with at most {MOST_SHARES} roles and units.")
    shared_units = set(thing.shares.exclude(unit=None).values_list("unit_id", flat=True))
    seen = {unit.slug: unit.pk for unit in Unit.objects.within(access.visibility).filter(slug__in=slugs)}
    seen |= {unit.slug: unit.pk for unit in Unit.objects.filter(slug__in=slugs, pk__in=shared_units)}
    for slug in slugs:
        if slug not in seen:
            raise FieldError("units", f"There is no unit “{slug[:80]}”.")
    with changes_by(account):
        type(thing)._default_manager.select_for_update().get(pk=thing.pk)
        wanted = {*((role, None) for role in wanted_roles), *(("", seen[slug]) for slug in slugs)}
        stored = {(share.role, share.unit_id): share for share in thing.shares.all()}
        for key in stored.keys() - wanted:
            stored[key].delete()
        for role, unit in sorted(wanted - stored.keys(), key=str):
            thing.shares.create(role=role, unit_id=unit)


def shared_words(thing: SharedThing) -> str:
    """The recipients in words."""
    shares = thing.shares.select_related("unit").order_by("role", "unit__name")
    names = [share.unit.name if share.unit else str(share.get_role_display()).lower() for share in shares]
    if not names:
        return "Not shared"
    return "Shared with everybody" if "everybody" in names else f"Shared with {wording.listed(names)}"
