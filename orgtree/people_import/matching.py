"""Matches rows with people: by id, address, former address, or the row's identities.

A provisional person from synced data (nothing but identities) is merged into the person of the row that names them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core import sql
from orgtree.identities.moves import PROVISIONAL_PEOPLE, delete_empty_people, move_identities
from orgtree.organisation.people_version import raise_people_version_on_commit
from orgtree.people_import.drafts import RowError


def match(errors: list[RowError]) -> None:
    """Fill `draft.person_id`, creating new people; adds conflicts to `errors`."""
    unknown = sql.column(_DELETE_UNKNOWN_IDS)
    errors += [RowError(row, "id", "There is no person with this id. Omit it to add a person.") for row in unknown]
    _refuse(errors, "email", _DUPLICATES, "The address is also in row {}. Each person has one row.")
    for statement in (_BY_PUBLIC_ID, *_OWNERS, _FOUND_OWNERS):
        sql.execute(statement)
    for statement in (_BY_EMAIL, _BY_EMAIL_IDENTITY):
        sql.execute(statement.format(people=_KNOWN))
    _refuse(
        errors,
        "identities",
        _TWO_PEOPLE,
        "The identities belong to {} and {}, who are two people. Merge them first, or correct the row.",
    )
    sql.execute(_BY_IDENTITIES.format(people=_KNOWN))
    for statement in (_BY_EMAIL, _BY_EMAIL_IDENTITY, _BY_IDENTITIES):
        sql.execute(statement.format(people="true"))
    sql.execute(_NAME_FOUND_AT_ADDRESS)
    _refuse(errors, "email", _SAME_PERSON, "This is the same person as in row {}, under another address.")
    _refuse(errors, "identities", _IN_TWO_ROWS, "“{}” is also in row {}. An identity belongs to one person.")
    _refuse(
        errors, "identities", _SOMEBODY_ELSES, "“{}” belongs to {}. Move it to this person first, or correct the row."
    )
    _refuse(errors, "email", _ADDRESS_IN_USE, "The address belongs to {}. Choose another one, or merge the two.")
    sql.execute(_STORE_PREVIOUS)
    sql.execute(_CREATE)
    sql.execute(_FIND_CREATED)
    sql.execute("ANALYZE draft")


def update_people() -> None:
    """Update names and addresses of existing people; provisional people become known."""
    for statement in (_UPDATE_NAMES, _FREE_ADDRESSES, _UPDATE_ADDRESSES):
        sql.execute(statement)
    raise_people_version_on_commit()


def attach_identities() -> list[tuple[int, str]]:
    """Assign the rows' identities and addresses to their people; returns (person, value) of those added."""
    sql.execute(_TARGET_IDENTITIES)
    added = [(int(person), str(value)) for person, value in sql.rows(_CREATE_IDENTITIES)]
    moves = sql.rows(_IDENTITY_MOVES)
    move_identities({identity: after for identity, _, after, _ in moves})
    added += [(int(after), str(value)) for _, _, after, value in moves]
    delete_empty_people({before for _, before, _, _ in moves if before is not None})
    addresses = set(sql.column("SELECT value FROM target_identity WHERE is_address"))
    return [(person, value) for person, value in added if value not in addresses]


def _refuse(errors: list[RowError], column: str, statement: str, message: str) -> None:
    """Refuse the rows returned by the statement: row number, then arguments of the message."""
    rows: Sequence[tuple[Any, ...]] = sql.rows(statement)
    errors += [RowError(row, column, message.format(*named)) for row, *named in rows]
    sql.execute("UPDATE draft SET refused = true WHERE row = ANY(%s)", [[row for row, *_ in rows]])


# Such a row identifies nobody, so its address may be in another row, too.
_DELETE_UNKNOWN_IDS = """
    DELETE FROM draft
    WHERE public_id IS NOT NULL AND public_id NOT IN (SELECT public_id FROM orgtree_person) RETURNING row
"""
_DUPLICATES = """
    SELECT row, first FROM (
        SELECT row, min(row) OVER (PARTITION BY email) AS first FROM draft WHERE email IS NOT NULL
    ) AS listed
    WHERE row <> first ORDER BY row
"""
_BY_PUBLIC_ID = (
    "UPDATE draft SET person_id = person.id FROM orgtree_person person WHERE person.public_id = draft.public_id"
)
# An entered person takes precedence over one found in data: an address seen in commits is not a person yet.
_KNOWN = "person.id NOT IN (SELECT id FROM provisional_owner)"
_BY_EMAIL = """
    UPDATE draft SET person_id = person.id FROM orgtree_person person
    WHERE draft.person_id IS NULL AND lower(person.email) = draft.email AND {people}
"""
_BY_EMAIL_IDENTITY = """
    UPDATE draft SET person_id = person.id
    FROM orgtree_identity identity JOIN orgtree_person person ON person.id = identity.person_id
    WHERE draft.person_id IS NULL AND identity.kind = 'email' AND identity.provider = ''
      AND identity.value = draft.email AND {people}
"""
# A login without a provider matches all providers, case-insensitively.
_OWNERS = (
    """
    INSERT INTO draft_identity (row, kind, provider, value, identity_id, owner_id)
    SELECT named.row, identity.kind, identity.provider, identity.value, identity.id, identity.person_id
    FROM draft_identity named
    JOIN orgtree_identity identity
      ON lower(identity.value) = lower(named.value)
     AND (named.provider = '' OR identity.provider = named.provider)
     AND CASE named.kind WHEN 'email' THEN identity.kind = 'email' ELSE identity.kind IN ('login', 'agent_account') END
    """,
    """
    DELETE FROM draft_identity named USING draft_identity found
    WHERE named.identity_id IS NULL AND found.identity_id IS NOT NULL AND found.row = named.row
      AND lower(found.value) = lower(named.value)
      AND (found.kind = 'email') = (named.kind = 'email')
    """,
    """
    UPDATE draft_identity named SET owner_id = person.id FROM orgtree_person person
    WHERE named.owner_id IS NULL AND named.kind = 'email' AND lower(person.email) = named.value
    """,
)
_FOUND_OWNERS = (
    "DROP TABLE IF EXISTS provisional_owner; CREATE TEMPORARY TABLE provisional_owner ON COMMIT DROP AS "  # noqa: S608  # constants
    + PROVISIONAL_PEOPLE
    + """ AND (
        person.id IN (SELECT owner_id FROM draft_identity)
        OR lower(person.email) IN (SELECT email FROM draft)
        OR person.id IN (
            SELECT identity.person_id FROM orgtree_identity identity JOIN draft ON draft.email = identity.value
            WHERE identity.kind = 'email' AND identity.provider = ''
        )
    )"""
)
_TWO_PEOPLE = """
    SELECT named.row, min(person.full_name), max(person.full_name)
    FROM draft_identity named JOIN draft USING (row) JOIN orgtree_person person ON person.id = named.owner_id
    WHERE draft.person_id IS NULL AND named.owner_id NOT IN (SELECT id FROM provisional_owner)
    GROUP BY named.row HAVING count(DISTINCT named.owner_id) > 1
"""
_BY_IDENTITIES = """
    UPDATE draft SET person_id = owner.id
    FROM (
        SELECT DISTINCT ON (named.row) named.row, named.owner_id AS id
        FROM draft_identity named JOIN draft USING (row) JOIN orgtree_person person ON person.id = named.owner_id
        WHERE draft.person_id IS NULL AND NOT draft.refused AND {people}
        ORDER BY named.row, named.owner_id IN (SELECT id FROM provisional_owner), person.email IS NULL, person.id
    ) AS owner
    WHERE owner.row = draft.row
"""
# A person found in data under the address of a row that belongs to another person is merged into that one.
_NAME_FOUND_AT_ADDRESS = """
    INSERT INTO draft_identity (row, kind, provider, value, identity_id, owner_id)
    SELECT draft.row, 'email', '', draft.email, identity.id, found.id
    FROM draft
    JOIN orgtree_identity identity
      ON identity.kind = 'email' AND identity.provider = '' AND identity.value = draft.email
    JOIN provisional_owner found ON found.id = identity.person_id
    WHERE NOT draft.refused AND draft.person_id <> found.id
      AND NOT EXISTS (SELECT FROM draft_identity named WHERE named.row = draft.row AND named.identity_id = identity.id)
"""
_SAME_PERSON = """
    SELECT row, first FROM (
        SELECT row, refused, min(row) OVER (PARTITION BY person_id) AS first FROM draft WHERE person_id IS NOT NULL
    ) AS t
    WHERE row <> first AND NOT refused ORDER BY row
"""
_IN_TWO_ROWS = """
    SELECT DISTINCT ON (row) row, value, first FROM (
        SELECT named.row, named.value,
               min(named.row) OVER (PARTITION BY named.kind, named.provider, named.value) AS first
        FROM draft_identity named JOIN draft USING (row) WHERE NOT draft.refused
    ) AS t
    WHERE row <> first ORDER BY row
"""
_SOMEBODY_ELSES = """
    SELECT DISTINCT ON (draft.row) draft.row, named.value, concat_ws(', ', person.full_name, person.email)
    FROM draft JOIN draft_identity named USING (row) JOIN orgtree_person person ON person.id = named.owner_id
    WHERE NOT draft.refused AND named.owner_id IS DISTINCT FROM draft.person_id
      AND (named.owner_id NOT IN (SELECT id FROM provisional_owner)
           OR named.owner_id IN (
               SELECT person_id FROM draft other WHERE other.person_id IS NOT NULL AND other.row <> draft.row
           ))
    ORDER BY draft.row, named.value
"""
_ADDRESS_IN_USE = """
    SELECT draft.row, person.full_name
    FROM draft JOIN orgtree_person person ON lower(person.email) = draft.email
    WHERE NOT draft.refused AND person.id IS DISTINCT FROM draft.person_id
      AND person.id NOT IN (SELECT id FROM provisional_owner)
"""
_STORE_PREVIOUS = """
    UPDATE draft SET name_before = person.full_name, email_before = person.email,
        is_first = NOT EXISTS (SELECT FROM orgtree_employment known WHERE known.person_id = person.id)
    FROM orgtree_person person WHERE person.id = draft.person_id
"""
_CREATE = """
    WITH created AS (
        INSERT INTO orgtree_person (public_id, full_name, email, found_at)
        SELECT gen_random_uuid(), COALESCE(NULLIF(full_name, ''), readable_name), email, now()
        FROM draft WHERE person_id IS NULL AND NOT refused
        ORDER BY row
        ON CONFLICT DO NOTHING
        RETURNING id, email
    )
    UPDATE draft SET person_id = created.id, is_new = true, is_first = true
    FROM created WHERE created.email = draft.email
"""
# Telemetry may have created the same address concurrently.
_FIND_CREATED = """
    UPDATE draft SET person_id = person.id, is_new = true, is_first = true FROM orgtree_person person
    WHERE draft.person_id IS NULL AND NOT draft.refused AND lower(person.email) = draft.email
"""
_UPDATE_NAMES = """
    UPDATE orgtree_person person
    SET full_name = COALESCE(NULLIF(draft.full_name, ''), person.full_name), found_in_data = false
    FROM draft
    WHERE draft.person_id = person.id AND NOT draft.refused
      AND (person.found_in_data OR draft.full_name NOT IN ('', person.full_name))
"""
_FREE_ADDRESSES = """
    UPDATE orgtree_person person SET email = NULL FROM draft
    WHERE lower(person.email) = draft.email AND NOT draft.refused AND draft.person_id <> person.id
      AND person.id IN (SELECT id FROM provisional_owner)
"""
_UPDATE_ADDRESSES = """
    UPDATE orgtree_person person SET email = draft.email FROM draft
    WHERE draft.person_id = person.id AND NOT draft.refused AND draft.email IS NOT NULL
      AND lower(person.email) IS DISTINCT FROM draft.email
"""
# Current and former addresses are identities: later activity under them is the person's.
_TARGET_IDENTITIES = """
    DROP TABLE IF EXISTS target_identity;
    CREATE TEMPORARY TABLE target_identity ON COMMIT DROP AS
    SELECT DISTINCT ON (kind, provider, value) * FROM (
        SELECT draft.person_id, named.kind, named.provider, named.value, false AS is_address
        FROM draft JOIN draft_identity named USING (row) WHERE NOT draft.refused
        UNION ALL
        SELECT person_id, 'email', '', address, true
        FROM draft CROSS JOIN LATERAL (VALUES (email), (lower(email_before))) AS had (address)
        WHERE NOT refused AND address IS NOT NULL
    ) AS target
    ORDER BY kind, provider, value, is_address DESC;
    ANALYZE target_identity
"""
_CREATE_IDENTITIES = """
    INSERT INTO orgtree_identity (kind, provider, value, person_id, standing, found_at)
    SELECT kind, provider, value, person_id, CASE WHEN is_address THEN 'found' ELSE 'decided' END, now()
    FROM target_identity ORDER BY kind, provider, value
    ON CONFLICT DO NOTHING
    RETURNING person_id, value
"""
# An address or a provisional person's identity moves all identities of that person.
_IDENTITY_MOVES = """
    WITH named AS (
        SELECT identity.id, identity.person_id AS before, target.person_id AS after, target.is_address
        FROM target_identity target JOIN orgtree_identity identity USING (kind, provider, value)
        WHERE identity.person_id IS DISTINCT FROM target.person_id
          AND (NOT target.is_address OR identity.person_id IN (SELECT id FROM provisional_owner)
               OR identity.person_id IS NULL AND identity.standing <> 'bot')
    ), taken_in AS (
        SELECT DISTINCT ON (named.before) named.before, named.after
        FROM named JOIN orgtree_person person ON person.id = named.before
        JOIN orgtree_identity identity ON identity.id = named.id
        WHERE person.email IS NULL OR lower(person.email) = identity.value
        ORDER BY named.before, named.after
    ), moving AS (
        SELECT id, before, after FROM named
        UNION
        SELECT identity.id, taken_in.before, taken_in.after
        FROM taken_in JOIN orgtree_identity identity ON identity.person_id = taken_in.before
        WHERE identity.id NOT IN (SELECT id FROM named)
    )
    SELECT moving.id, moving.before, moving.after, identity.value
    FROM moving JOIN orgtree_identity identity USING (id)
    ORDER BY moving.id
    FOR NO KEY UPDATE OF identity
"""
