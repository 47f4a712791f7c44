"""Recipients of notices: accounts of people, and managers who may see a ticket.

Statements cover all people at once and decide for whom a notice is planned.  `Notice.objects.within` checks access
again when it is shown or sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from orgtree.models import MembersSee, Organisation, OrgTree, Role

# The account of each person who is there today, found as in orgtree/models/visibility.py: the one that an admin linked,
# else an unlinked one with the person's e-mail address; of several, the one that signed in last. `people` restricts it
# to these people; without it, it covers everybody.
ACCOUNTS_OF_PEOPLE = """
    standing_people AS MATERIALIZED (
        SELECT person.id, person.user_id, lower(person.email) AS email FROM orgtree_person person
        WHERE (%(people)s::bigint[] IS NULL OR person.id = ANY(%(people)s::bigint[])) AND (
            NOT EXISTS (SELECT FROM orgtree_employment WHERE person_id = person.id)
            OR EXISTS (SELECT FROM orgtree_employment WHERE person_id = person.id AND during @> %(today)s)
        )
    ), account_of AS MATERIALIZED (
        SELECT DISTINCT ON (found.person_id) found.person_id, found.account_id
        FROM (
            SELECT person.id AS person_id, account.id AS account_id, account.last_login
            FROM standing_people person JOIN auth_user account ON account.id = person.user_id AND account.is_active
            UNION ALL
            SELECT person.id, account.id, account.last_login
            FROM standing_people person
            JOIN auth_user account ON lower(account.email) = person.email AND account.is_active
            WHERE person.user_id IS NULL AND person.email <> ''
                AND NOT EXISTS (SELECT FROM orgtree_person linked WHERE linked.user_id = account.id)
        ) AS found
        ORDER BY found.person_id, found.last_login DESC NULLS LAST, found.account_id
    )
"""

# Units with the units above them today, and the distance: `steps` is 0 for the unit itself.
UNITS_ABOVE = """
    depth AS MATERIALIZED (
        SELECT unit_id, count(*) AS depth FROM orgtree_unitplacement WHERE during @> %(today)s GROUP BY unit_id
    ), above AS MATERIALIZED (
        SELECT path.unit_id, path.ancestor_id, own.depth - upper.depth AS steps
        FROM orgtree_unitplacement path
        JOIN orgtree_orgtree tree ON tree.id = path.tree_id AND tree.archived_at IS NULL
        JOIN depth own ON own.unit_id = path.unit_id
        JOIN depth upper ON upper.unit_id = path.ancestor_id
        WHERE path.during @> %(today)s
    )
"""

# One row per account and unit that it manages directly: as its leader, or by a grant.
MANAGERS_OF_UNITS = """
    manager AS MATERIALIZED (
        SELECT unit.id AS unit_id, account_of.account_id, account_of.person_id
        FROM orgtree_unit unit
        JOIN account_of ON account_of.person_id = unit.leader_id
        JOIN above ON above.unit_id = unit.id AND above.ancestor_id = unit.id
        UNION
        SELECT held.unit_id, held.user_id, person.person_id
        FROM orgtree_grant held
        JOIN auth_user account ON account.id = held.user_id AND account.is_active
        LEFT JOIN account_of person ON person.account_id = held.user_id
        WHERE held.unit_id IS NOT NULL AND held.during @> %(today)s
    ), executive AS MATERIALIZED (
        SELECT held.user_id AS account_id, person.person_id
        FROM orgtree_grant held
        JOIN auth_user account ON account.id = held.user_id AND account.is_active
        LEFT JOIN account_of person ON person.account_id = held.user_id
        WHERE held.role = %(executive)s AND held.during @> %(today)s
    )
"""

# Which of the triples in `asked` (account_id, person_id, unit_id) may see the unit's tickets: those that
# `Ticket.objects.within` finds below or above the units that the account manages or the person is in.  Every join is by
# equality, so that thousands of pairs are one hash join instead of as many lookups.
UNITS_SEEN = """
    seen AS MATERIALIZED (
        SELECT asked.account_id, asked.unit_id FROM asked JOIN manager USING (account_id, unit_id)
        UNION
        SELECT asked.account_id, asked.unit_id FROM asked
        JOIN manager USING (account_id)
        JOIN above ON above.unit_id = asked.unit_id AND above.ancestor_id = manager.unit_id
        UNION
        SELECT asked.account_id, asked.unit_id FROM asked
        JOIN manager USING (account_id)
        JOIN above ON above.unit_id = manager.unit_id AND above.ancestor_id = asked.unit_id
        UNION
        SELECT asked.account_id, asked.unit_id FROM asked
        JOIN orgtree_placement own
            ON own.person_id = asked.person_id AND own.ancestor_id = asked.unit_id AND own.during @> %(today)s
        JOIN orgtree_orgtree tree ON tree.id = own.tree_id AND tree.archived_at IS NULL
        UNION
        SELECT asked.account_id, asked.unit_id FROM asked
        JOIN auth_user account ON account.id = asked.account_id AND account.is_superuser
        UNION
        SELECT asked.account_id, asked.unit_id FROM asked JOIN executive USING (account_id)
    )
"""

# Whether `candidate.account_id` may see the ticket `ticket`.  Tests compare it with that queryset.
MAY_SEE_TICKET = """
    (
        %(everybody_sees)s OR ticket.unit_id IS NULL OR ticket.owner_id = candidate.person_id
        OR (candidate.account_id, ticket.unit_id) IN (SELECT account_id, unit_id FROM seen)
    )
"""


def of_everybody(today: date) -> dict[str, Any]:
    """The parameters of the statements in this file, except MAY_SEE_TICKET."""
    return {"people": None, "today": today, "executive": Role.EXECUTIVE.value}


def visibility() -> dict[str, Any]:
    """The additional parameters of MAY_SEE_TICKET."""
    organisation = Organisation.current()
    everybody_sees = (
        organisation.protected_since is None
        or organisation.members_see == MembersSee.EVERYTHING
        or not OrgTree.objects.filter(archived_at=None).exists()
    )
    return {"everybody_sees": everybody_sees}


def of_people(people: Sequence[int], today: date) -> dict[str, Any]:
    """The parameters of ACCOUNTS_OF_PEOPLE, for these people."""
    return {"people": list(people), "today": today}
