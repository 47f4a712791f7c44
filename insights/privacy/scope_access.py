"""From the scope that somebody asks for to one that they may look at: the one place in which that is decided.

Pages, parts, charts, rows, CSV and API ask here before they read a figure; `insights.privacy.visible` asks again for
every query, so that none is answered which was not allowed.  Unknown and invisible are the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.http import HttpRequest

from insights.query.errors import QueryError, ScopeNeededError, UnknownUnitError
from insights.query.query import Scope
from orgtree.access.access import Access, access_of

ME = "me"  # as `person=` names whoever asks
ONLY_YOUR_OWN = "Only your own data are shown here: person=me."
UNITS_NAMED = 3  # in the sentence that says what to ask for instead


def access_in(request: HttpRequest) -> Access:
    """What the signed-in account may look at; read once for a request."""
    known = getattr(request, "headway_access", None)
    if not isinstance(known, Access):
        known = access_of(request.user)
        request.headway_access = known  # type: ignore[attr-defined]
    return known


def check_scopes(asked: Iterable[Scope], access: Access) -> None:
    """`check_scope` for each, whatever they are narrowed to only once."""
    seen: list[Scope] = []
    for scope in asked:
        narrowed_to_nothing = replace(scope, where={})
        if narrowed_to_nothing not in seen:
            seen.append(narrowed_to_nothing)
            check_scope(scope, access)


def check_scope(asked: Scope, access: Access) -> None:
    """Raises UnknownUnitError for what the viewer may not know of, ScopeNeededError for the whole organisation."""
    sight = access.sight
    if asked.person_id is not None and asked.person_id != sight.person_id:
        raise QueryError("person", ONLY_YOUR_OWN)
    if asked.unassigned is not None and not sight.whole:
        raise UnknownUnitError(asked.unit_word or "")
    if asked.unit is not None and not sight.whole and asked.unit not in sight.slugs:
        raise UnknownUnitError(asked.unit)
    if asked.unit_word is None and asked.person_id is None and not sight.whole:
        raise ScopeNeededError(sorted(sight.slugs, key=lambda slug: sight.slugs[slug])[:UNITS_NAMED])


def has_scope(scope: Scope, access: Access) -> bool:
    """Whether there is anything at all that the viewer may look at, after `scope_to_begin_with`."""
    return access.sight.whole or scope.unit_word is not None or scope.person_id is not None


def own_person(word: str, access: Access) -> int | None:
    """The person that `person=` names: oneself, or nobody where it was left out.  Raises QueryError."""
    if not word:
        return None
    if word != ME:
        raise QueryError("person", ONLY_YOUR_OWN)
    if access.sight.person_id is None:
        raise QueryError("person", "No person of this organisation belongs to this account. An admin can link them.")
    return access.sight.person_id


def scope_to_begin_with(asked: Scope, access: Access) -> Scope:
    """For pages: the asked scope, or where nothing was asked, the widest that the viewer begins with.

    That is the whole organisation, else the viewer's own unit, else their own data.  Attributes narrow each of them.
    Raises UnknownUnitError for what the viewer may not know of.
    """
    sight = access.sight
    if asked.unit_word is not None:
        check_scope(asked, access)
    if asked.unit_word is not None or asked.person_id is not None or sight.whole:
        return asked
    if sight.home_unit is not None:
        return replace(asked, unit=sight.home_unit)
    if sight.person_id is not None:
        return replace(asked, person_id=sight.person_id, where={})
    return asked
