"""What an account may look at: the one place where roles, grants and trees become a set of units.

Stands beside the models because querysets ask it: `Unit.objects.visible_to(user)`.  Services and views call
`orgtree.services.access.viewable`, which also ends the trial mode in time.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from orgtree.models.organisation import MembersSee, Organisation
from orgtree.models.people import Person

Viewer = User | AbstractBaseUser | AnonymousUser | None

# $today is the organisation's local day.  Whoever left leads nothing and is in no unit; grants end by themselves.
ROLES_AND_UNITS = """
    WITH RECURSIVE seeds AS (
        SELECT unit.id AS unit_id, unit.tree_id
        FROM orgtree_unit unit
        JOIN orgtree_orgtree tree ON tree.id = unit.tree_id AND tree.archived_at IS NULL
        WHERE unit.leader_id = %(person)s
          AND EXISTS (SELECT FROM orgtree_unitplace place WHERE place.unit_id = unit.id AND place.during @> %(today)s)
          AND (NOT EXISTS (SELECT FROM orgtree_employment WHERE person_id = %(person)s)
               OR EXISTS (SELECT FROM orgtree_employment WHERE person_id = %(person)s AND during @> %(today)s))
        UNION
        SELECT unit.id, unit.tree_id
        FROM orgtree_grant held
        JOIN orgtree_unit unit ON unit.id = held.unit_id
        WHERE held.user_id = %(user)s AND held.role = 'manager' AND held.during @> %(today)s
    ), managed AS (
        SELECT unit_id FROM seeds
        UNION
        SELECT place.unit_id
        FROM managed
        JOIN orgtree_unitplace place ON place.parent_id = managed.unit_id AND place.during @> %(today)s
    ), own AS (
        SELECT DISTINCT placement.unit_id, placement.tree_id
        FROM orgtree_placement placement
        JOIN orgtree_orgtree tree ON tree.id = placement.tree_id AND tree.archived_at IS NULL
        WHERE placement.person_id = %(person)s AND placement.during @> %(today)s
    )
    SELECT ARRAY(SELECT unit_id FROM managed),
           ARRAY(SELECT unit_id FROM own),
           ARRAY(SELECT unit_id FROM (SELECT 0 AS rank, * FROM seeds UNION ALL SELECT 1, * FROM own) AS home
                 ORDER BY rank, tree_id, unit_id LIMIT 1),
           ARRAY(SELECT DISTINCT role FROM orgtree_grant
                 WHERE user_id = %(user)s AND during @> %(today)s),
           EXISTS (SELECT FROM orgtree_orgtree WHERE archived_at IS NULL)
"""


@dataclass(frozen=True)
class Sight:
    """What somebody may look at today.  Ids of units; None stands for all of them.

    `whole`: the figures of the whole organisation, with what no unit could be matched to.  `unit_ids`: units whose
    aggregates may be seen, `individuals_in` those among them in which other people's rows may be, as far as the
    organisation's policy shows them.  `person_id`: whose data is one's own.  `home_unit_id`: the unit to begin with.
    """

    whole: bool = False
    unit_ids: frozenset[int] | None = frozenset()
    person_id: int | None = None
    individuals_in: frozenset[int] | None = frozenset()
    managed_ids: frozenset[int] = frozenset()
    home_unit_id: int | None = None

    @property
    def individuals(self) -> bool:
        """Whether there is anywhere that other people's rows may be seen."""
        return self.individuals_in is None or bool(self.individuals_in)

    def covers(self, unit_id: int) -> bool:
        return self.unit_ids is None or unit_id in self.unit_ids

    def covers_individuals(self, unit_id: int | None) -> bool:
        """Whether rows of others may be shown in that unit; None: in the whole organisation."""
        return self.individuals_in is None or unit_id in self.individuals_in


NOTHING = Sight()
# A token without a user, and whoever else signed in without being a person: aggregates, and nobody's rows.
AGGREGATES = Sight(whole=True, unit_ids=None)


def sight_of(viewer: Viewer, organisation: Organisation | None = None) -> Sight:
    """What that account may look at by its roles today, or everything while the trial lasts.

    An admin and an executive see aggregates of everything; rows of others need the management of their unit.  A
    manager sees the units they lead or were granted, with all below, a member the units they are in.
    """
    if viewer is None or not viewer.is_authenticated:
        return NOTHING
    if not isinstance(viewer, User):
        return AGGREGATES
    if not viewer.is_active:
        return NOTHING
    organisation = organisation or Organisation.current()
    person = person_of(viewer)
    person_id = person.pk if person else None
    managed, own, home, roles, has_trees = _roles_and_units(viewer.pk, person_id)
    on_trial = organisation.protected_since is None
    open_to_members = organisation.members_see == MembersSee.EVERYTHING or not has_trees
    whole = on_trial or open_to_members or viewer.is_superuser or "executive" in roles
    if on_trial or (open_to_members and not viewer.is_superuser):
        individuals_in = None
    else:
        individuals_in = managed if viewer.is_superuser else managed | own
    return Sight(
        whole=whole,
        unit_ids=None if whole else managed | own,
        person_id=person_id,
        individuals_in=individuals_in,
        managed_ids=managed,
        home_unit_id=home,
    )


def person_of(viewer: Viewer) -> Person | None:
    """The person behind an account: whom an admin linked to it, else who has its e-mail address."""
    if not isinstance(viewer, User):
        return None
    linked = Q(user=viewer)
    if viewer.email:
        linked |= Q(user=None, lowered=viewer.email.lower())
    found = Person.objects.alias(lowered=Lower("email")).filter(linked)
    return min(found, key=lambda person: person.user_id is None, default=None)


def _roles_and_units(
    user_id: int, person_id: int | None
) -> tuple[frozenset[int], frozenset[int], int | None, frozenset[str], bool]:
    """Units managed, units one is in, the unit to begin with, granted roles, and whether there is any tree."""
    with connection.cursor() as cursor:
        cursor.execute(ROLES_AND_UNITS, {"user": user_id, "person": person_id, "today": timezone.localdate()})
        managed, own, home, roles, has_trees = cursor.fetchone()
    return frozenset(managed), frozenset(own), home[0] if home else None, frozenset(roles), has_trees
