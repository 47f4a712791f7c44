"""Visibility of an account: turns roles, grants and trees into a set of units.

Lives beside the models because querysets use it: `Unit.objects.visible_to(user)`.  Services and views call
`orgtree.access.access.viewable`, which also ends the trial mode in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import models
from django.db.models import JSONField
from django.db.models.expressions import RawSQL
from django.utils import timezone

from core.hooks import Hook
from orgtree.models.organisation import MembersSee, Organisation
from orgtree.models.people import Person

Viewer = User | AbstractBaseUser | AnonymousUser | None

# The id of the tree whose units set objectives, from the app that keeps them; asked where somebody is in several trees.
program_trees: Hook[Callable[[], int | None]] = Hook()


def preferred_trees() -> set[int | None]:
    """The ids of the trees whose units set objectives."""
    return {find() for find in program_trees}


ACCOUNT = "account AS (SELECT %s::int AS user_id, %s::text AS email, %s::date AS today)"

# The person of an account: linked by an admin, else matched by e-mail address.
PERSON_OF_ACCOUNT = """
    SELECT id FROM orgtree_person
    WHERE user_id = (SELECT user_id FROM account)
       OR (user_id IS NULL AND lower(email) = (SELECT email FROM account))
    ORDER BY user_id IS NULL LIMIT 1
"""

# One JSON document.  Leavers lead nothing and are in no unit; grants end by themselves.
#
# `made_up`: units of which everybody, on each day, is in a part: a managed or own unit all of whose people are in the
# whole.  Only wholes around the first and the last person of a part are compared day by day, which are few.  Whoever
# sees everything needs no unit below theirs as a part: rows are then judged by window (`insights.privacy.visible`).
ROLES_AND_UNITS = f"""
    WITH RECURSIVE {ACCOUNT}, me AS ({PERSON_OF_ACCOUNT}), held AS (
        SELECT role, unit_id FROM orgtree_grant JOIN account USING (user_id) WHERE during @> today
    ), employed AS (
        SELECT me.id FROM me, account
        WHERE NOT EXISTS (SELECT FROM orgtree_employment WHERE person_id = me.id)
           OR EXISTS (SELECT FROM orgtree_employment WHERE person_id = me.id AND during @> today)
    ), seeds AS (
        SELECT unit.id AS unit_id, unit.tree_id
        FROM employed
        JOIN orgtree_unit unit ON unit.leader_id = employed.id
        JOIN orgtree_orgtree tree ON tree.id = unit.tree_id AND tree.archived_at IS NULL
        JOIN orgtree_unitplace place ON place.unit_id = unit.id
        JOIN account ON place.during @> account.today
        UNION
        SELECT unit.id, unit.tree_id FROM held JOIN orgtree_unit unit ON unit.id = held.unit_id
    ), managed AS (
        SELECT unit_id FROM seeds
        UNION
        SELECT place.unit_id
        FROM managed
        JOIN orgtree_unitplace place ON place.parent_id = managed.unit_id
        JOIN account ON place.during @> account.today
    ), own AS (
        SELECT DISTINCT placement.unit_id, placement.tree_id
        FROM me
        JOIN orgtree_placement placement ON placement.person_id = me.id
        JOIN account ON placement.during @> account.today
        JOIN orgtree_orgtree tree ON tree.id = placement.tree_id AND tree.archived_at IS NULL
    ), admin AS (
        SELECT id FROM auth_user JOIN account ON id = user_id WHERE is_superuser
    ), of_everything AS (
        SELECT FROM admin UNION ALL SELECT FROM held WHERE role = 'executive'
    ), with_rows AS (
        SELECT unit_id FROM own WHERE NOT EXISTS (SELECT FROM admin)
    ), seen AS (
        SELECT unit_id FROM managed UNION SELECT unit_id FROM with_rows
    ), same_people AS (
        SELECT unit.id AS unit_id
        FROM seen
        JOIN orgtree_unit mine ON mine.id = seen.unit_id
        JOIN orgtree_unitpeople people ON people.unit_id = seen.unit_id
        JOIN orgtree_unitpeople others ON others.digest = people.digest
        JOIN orgtree_unit unit ON unit.id = others.unit_id AND unit.tree_id <> mine.tree_id
        JOIN orgtree_orgtree tree ON tree.id = unit.tree_id AND tree.archived_at IS NULL
    ), ends AS MATERIALIZED (
        SELECT ancestor_id AS unit_id, ARRAY[min(person_id), max(person_id)] AS persons FROM orgtree_placement
        WHERE ancestor_id IN (
            SELECT unit_id FROM seeds UNION SELECT unit_id FROM with_rows
            UNION SELECT unit_id FROM managed WHERE NOT EXISTS (SELECT FROM of_everything)
        )
        GROUP BY ancestor_id
    ), around AS MATERIALIZED (
        SELECT whole.unit_id AS whole_id, whole.people, one.unit_id, one.people AS of_part
        FROM ends
        JOIN orgtree_unitpeople one USING (unit_id)
        JOIN orgtree_placement place ON place.person_id = ANY(ends.persons)
        JOIN orgtree_orgtree tree ON tree.id = place.tree_id AND tree.archived_at IS NULL
        JOIN orgtree_unitpeople whole ON whole.unit_id = place.ancestor_id AND whole.people >= one.people
        WHERE whole.unit_id NOT IN (SELECT unit_id FROM seen UNION SELECT unit_id FROM same_people)
        GROUP BY whole.unit_id, one.unit_id, ends.persons
        HAVING array_agg(place.person_id) @> ends.persons
    ), candidate AS MATERIALIZED (
        SELECT whole_id FROM around GROUP BY whole_id, people HAVING sum(of_part) >= people
    ), in_whole AS MATERIALIZED (
        SELECT ancestor_id AS whole_id, person_id, range_agg(during) AS days
        FROM orgtree_placement JOIN candidate ON whole_id = ancestor_id GROUP BY ancestor_id, person_id
    ), part AS MATERIALIZED (
        SELECT whole_id, unit_id FROM around JOIN candidate USING (whole_id)
        EXCEPT
        SELECT around.whole_id, around.unit_id
        FROM around
        JOIN candidate USING (whole_id)
        JOIN orgtree_placement place ON place.ancestor_id = around.unit_id
        LEFT JOIN in_whole USING (whole_id, person_id)
        WHERE NOT place.during <@ coalesce(in_whole.days, '{{}}')
    ), in_parts AS MATERIALIZED (
        SELECT part.whole_id, place.person_id, range_agg(place.during) AS days
        FROM part JOIN orgtree_placement place ON place.ancestor_id = part.unit_id
        GROUP BY part.whole_id, place.person_id
    ), made_up AS (
        SELECT whole_id AS unit_id FROM part
        EXCEPT
        SELECT whole_id FROM in_whole LEFT JOIN in_parts USING (whole_id, person_id)
        WHERE NOT in_whole.days <@ coalesce(in_parts.days, '{{}}')
    ), covered AS (
        SELECT unit.id, unit.slug FROM orgtree_unit unit
        WHERE unit.id IN (SELECT unit_id FROM same_people UNION SELECT unit_id FROM made_up)
          AND unit.id NOT IN (SELECT unit_id FROM seen)
    ), team AS (
        SELECT DISTINCT ON (own.unit_id) own.tree_id, place.ancestor_id AS unit_id
        FROM own
        CROSS JOIN account
        JOIN me ON true
        JOIN orgtree_placement place
            ON place.person_id = me.id AND place.unit_id = own.unit_id AND place.during @> account.today
        JOIN orgtree_unit unit ON unit.id = place.ancestor_id AND unit.leader_id IS NOT NULL
        WHERE place.ancestor_id IN (SELECT unit_id FROM seen UNION SELECT id FROM covered)
        ORDER BY own.unit_id, (
            SELECT count(*) FROM orgtree_unitplacement above
            WHERE above.unit_id = place.ancestor_id AND above.during @> account.today
        ) DESC
    )
    SELECT jsonb_build_object(
        'person_id', (SELECT id FROM me),
        'managed', ARRAY(SELECT unit_id FROM managed),
        'own', ARRAY(SELECT unit_id FROM own),
        'slugs', (SELECT coalesce(jsonb_object_agg(unit.slug, unit.id), '{{}}') FROM orgtree_unit unit
                  WHERE unit.id IN (SELECT unit_id FROM seen UNION SELECT unit_id FROM own)),
        'covered', (SELECT coalesce(jsonb_object_agg(slug, id), '{{}}') FROM covered),
        'homes', (SELECT coalesce(jsonb_agg(jsonb_build_array(tree_id, unit_id) ORDER BY rank, tree_id, unit_id), '[]')
                  FROM (
                      SELECT 0 AS rank, tree_id, unit_id FROM seeds
                      UNION ALL SELECT 1, tree_id, unit_id FROM team
                      UNION ALL SELECT 2, tree_id, unit_id FROM own
                  ) AS home),
        'roles', ARRAY(SELECT DISTINCT role FROM held),
        'has_trees', EXISTS (SELECT FROM orgtree_orgtree WHERE archived_at IS NULL)
    )
"""  # noqa: S608 — constants only; values are parameters


class Role(models.TextChoices):
    """Roles: docs/access.md.  Admins are Django's superusers; members need no grant."""

    EXECUTIVE = "executive", "Executive"
    MANAGER = "manager", "Manager"
    AUDITOR = "auditor", "Auditor"
    FINANCE = "finance", "Finance"


@dataclass(frozen=True)
class AccountToday:
    """An account as of today: its person, managed and own units, and granted roles."""

    person_id: int | None
    managed: frozenset[int]
    own: frozenset[int]
    slugs: Mapping[str, int]  # of both
    homes: tuple[tuple[int, int], ...]  # tree and unit: those that the person leads, their teams, those they are in
    roles: frozenset[str]
    has_trees: bool
    covered: Mapping[str, int] = field(default_factory=dict)  # units of exactly the people of one or several of these


@dataclass(frozen=True)
class Visibility:
    """The units visible to a viewer today, as ids; None: all units.

    `whole`: the whole organisation, including unassigned activity.  `unit_ids`: units with visible aggregates;
    `individuals_in`: units in which rows of other people are visible as far as the policy allows.  `person_id`: the
    viewer's own person.  `covered`: units whose people have been, day by day, exactly those of managed and own
    units; they are in both sets.  `homes`: trees and units that the person leads, then their teams (the nearest unit
    at or above theirs that somebody leads and that they may see), then those they are in.
    `leads_whole`: admin or executive, who may write for every unit and the whole organisation; managers may for their
    units.  `reads_capitalisation`: these, and finance.
    """

    whole: bool = False
    unit_ids: frozenset[int] | None = frozenset()
    person_id: int | None = None
    individuals_in: frozenset[int] | None = frozenset()
    managed_ids: frozenset[int] = frozenset()
    slugs: Mapping[str, int] = field(default_factory=dict)  # of managed and own units
    covered: Mapping[str, int] = field(default_factory=dict)
    homes: tuple[tuple[int, int], ...] = ()
    leads_whole: bool = False
    reads_capitalisation: bool = False

    @property
    def home_unit(self) -> str | None:
        """The slug of the default unit: the first of `homes` in the tree that the program uses, else of all."""
        several = len({tree for tree, _ in self.homes}) > 1
        preferred = preferred_trees() if several else set()
        homes = sorted(self.homes, key=lambda home: home[0] not in preferred)
        slugs = {**self.slugs, **self.covered}
        return next((slug for slug, unit in slugs.items() if homes and unit == homes[0][1]), None)

    @property
    def individuals(self) -> bool:
        """Whether rows of others are visible in any unit."""
        return self.individuals_in is None or bool(self.individuals_in)

    def can_see(self, unit_id: int) -> bool:
        return self.unit_ids is None or unit_id in self.unit_ids

    def leads(self, unit_id: int | None) -> bool:
        """Whether the viewer may write for that unit; None: for the whole organisation."""
        return self.leads_whole or unit_id in self.managed_ids

    @property
    def leads_any(self) -> bool:
        """Whether the viewer may write for any unit."""
        return self.leads_whole or bool(self.managed_ids)

    def can_see_individuals(self, unit_id: int | None) -> bool:
        """Whether rows of others are visible in that unit; None: in the whole organisation."""
        return self.individuals_in is None or unit_id in self.individuals_in


NOTHING = Visibility()
# Tokens without a user, and other sign-ins without an account: aggregates, no rows of people.
AGGREGATES = Visibility(whole=True, unit_ids=None)


def visibility_of(viewer: Viewer) -> Visibility:
    """The account's visibility by its roles today; everything in trial mode."""
    if not isinstance(viewer, User):
        return visibility_without_account(viewer)
    organisation, today = account_today(viewer)
    return visibility_from(viewer, organisation, today)


def visibility_without_account(viewer: Viewer) -> Visibility:
    return AGGREGATES if viewer is not None and viewer.is_authenticated else NOTHING


def visibility_from(viewer: User, organisation: Organisation, today: AccountToday) -> Visibility:
    """The visibility from roles: admins and executives see all aggregates; rows of others require managing their unit.

    Managers see the units they lead or were granted, with descendants; members see the units they are in.  A unit
    that has exactly the people of some of these shows the same.
    """
    if not viewer.is_active:
        return NOTHING
    on_trial = organisation.protected_since is None
    open_to_members = organisation.members_see == MembersSee.EVERYTHING or not today.has_trees
    whole = on_trial or open_to_members or viewer.is_superuser or Role.EXECUTIVE in today.roles
    covered = frozenset(today.covered.values())
    if on_trial or (open_to_members and not viewer.is_superuser):
        individuals_in = None
    else:
        individuals_in = today.managed | covered | (frozenset() if viewer.is_superuser else today.own)
    leads_whole = viewer.is_superuser or Role.EXECUTIVE in today.roles
    return Visibility(
        whole=whole,
        unit_ids=None if whole else today.managed | today.own | covered,
        person_id=today.person_id,
        individuals_in=individuals_in,
        managed_ids=today.managed,
        slugs=today.slugs,
        covered=today.covered,
        homes=today.homes,
        leads_whole=leads_whole,
        reads_capitalisation=leads_whole or Role.FINANCE in today.roles,
    )


def account_today(account: User) -> tuple[Organisation, AccountToday]:
    """The organisation and the account as of today, read in one statement."""
    organisations = Organisation.objects.filter(pk=1).annotate(
        today=RawSQL(ROLES_AND_UNITS, _account(account), output_field=JSONField())  # noqa: S611 — values are parameters
    )
    organisation = organisations.first()
    if organisation is None:
        Organisation.current()
        organisation = organisations.get()
    row = organisation.today
    return organisation, AccountToday(
        person_id=row["person_id"],
        managed=frozenset(row["managed"]),
        own=frozenset(row["own"]),
        slugs=row["slugs"],
        homes=tuple((tree, unit) for tree, unit in row["homes"]),
        roles=frozenset(row["roles"]),
        has_trees=row["has_trees"],
        covered=row["covered"],
    )


def person_of(viewer: Viewer) -> Person | None:
    """The person of an account; None without an account or a person."""
    if not isinstance(viewer, User):
        return None
    statement = f"WITH {ACCOUNT} SELECT * FROM orgtree_person WHERE id = ({PERSON_OF_ACCOUNT})"  # noqa: S608 — as above
    people = Person.objects.raw(statement, _account(viewer))
    return next(iter(people), None)


def _account(account: User) -> tuple[int, str | None, date]:
    """Parameters of ACCOUNT; an account without an address matches nobody."""
    return account.pk, account.email.lower() or None, timezone.localdate()
