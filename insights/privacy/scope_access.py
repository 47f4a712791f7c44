"""Decides which scopes a viewer may see: the only place that does.

Pages, partials, charts, rows, CSV and API check here before they read a value; `insights.privacy.visible` checks every
query again, so that none is answered without permission.  Unknown and forbidden units give the same error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.http import HttpRequest

from insights.query.errors import QueryError, ScopeNeededError, UnknownUnitError
from insights.query.query import Scope
from orgtree.access.access import Access, access_of

ME = "me"  # the value of `person=` for the viewer
ONLY_YOUR_OWN = "Only your own data is available here: use person=me."
UNITS_NAMED = 3  # in the error message


def access_in(request: HttpRequest) -> Access:
    """The access of the signed-in account; read once per request."""
    known = getattr(request, "headway_access", None)
    if not isinstance(known, Access):
        known = access_of(request.user)
        request.headway_access = known  # type: ignore[attr-defined]
    return known


def check_scopes(scopes: Iterable[Scope], access: Access) -> None:
    for scope in scopes:
        check_scope(scope, access)


def check_scope(scope: Scope, access: Access) -> None:
    """Refuse a scope without access.

    Raises UnknownUnitError for a hidden unit, ScopeNeededError for the whole organisation, QueryError for another
    person.
    """
    visibility = access.visibility
    if scope.person_id is not None and scope.person_id != visibility.person_id:
        raise QueryError("person", ONLY_YOUR_OWN)
    if scope.unassigned is not None and not visibility.whole:
        raise UnknownUnitError(scope.unit_word or "")
    known = visibility.whole or scope.unit in visibility.slugs or scope.unit in visibility.covered
    if scope.unit is not None and not known:
        raise UnknownUnitError(scope.unit)
    if scope.unit_word is None and scope.person_id is None and not visibility.whole:
        raise ScopeNeededError(sorted(visibility.slugs, key=lambda slug: visibility.slugs[slug])[:UNITS_NAMED])


def has_scope(scope: Scope, access: Access) -> bool:
    """Whether the viewer may see anything at all in a scope that `default_scope` returned."""
    return access.visibility.whole or scope.unit_word is not None or scope.person_id is not None


def own_person(word: str, access: Access) -> int | None:
    """The person that `person=` names: the viewer, or None if it is omitted.  Raises QueryError."""
    if not word:
        return None
    if word != ME:
        raise QueryError("person", ONLY_YOUR_OWN)
    if access.visibility.person_id is None:
        raise QueryError("person", "This account is not linked to a person. An admin can link it.")
    return access.visibility.person_id


def default_scope(scope: Scope, access: Access) -> Scope:
    """The scope of a page: the requested one, or by default the widest that the viewer may see.

    The default is the whole organisation, else the viewer's own unit, else their own data, with the requested
    attributes. Raises UnknownUnitError for a unit that the viewer may not see.
    """
    visibility = access.visibility
    if scope.unit_word is not None:
        check_scope(scope, access)
    if scope.unit_word is not None or scope.person_id is not None or visibility.whole:
        return scope
    if visibility.home_unit is not None:
        return replace(scope, unit=visibility.home_unit)
    if visibility.person_id is not None:
        return replace(scope, person_id=visibility.person_id, where={})
    return scope
