"""The owner of an installation: the one person who signs with it, or nobody if several do.

An installation names a machine.  Its signers (an address, a login or an account beside it) are stored, so that the
result does not depend on the order in which records arrive, and follows when the people of two names become one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from core import sql
from orgtree.identities.moves import IdentityMove, lock_identities, move_identities


def note_signers(pairs: Collection[tuple[int, int]]) -> None:
    """Store signers of installations, as pairs (installation, signer), and decide the owner again if one is new.

    Call it in the transaction that stores the records.
    """
    if not pairs:
        return
    new = sql.ids(_NOTE, [[installation for installation, _ in pairs], [signer for _, signer in pairs]])
    if new:
        _decide(new)


def follow_signers(moves: Sequence[IdentityMove]) -> None:
    """Decide again who owns the installations with which the moved identities sign."""
    installations = sql.ids(
        "SELECT DISTINCT installation_id FROM orgtree_installationsigner WHERE signer_id = ANY (%s)",
        [[move.identity_id for move in moves]],
    )
    if installations:
        _decide(installations)


def _decide(installations: Collection[int]) -> None:
    lock_identities(installations)
    decided = sql.rows(_OWNERS, [list(installations)])
    sql.execute(
        """
        UPDATE orgtree_identity identity SET is_shared = decided.is_shared
        FROM unnest(%s::bigint[], %s::boolean[]) AS decided (id, is_shared)
        WHERE identity.id = decided.id AND identity.is_shared <> decided.is_shared
        """,
        [[id_ for id_, _, _ in decided], [is_shared for _, is_shared, _ in decided]],
    )
    move_identities({id_: person for id_, _, person in decided})


_NOTE = """
    INSERT INTO orgtree_installationsigner (installation_id, signer_id)
    SELECT pair.* FROM unnest(%s::bigint[], %s::bigint[]) AS pair (installation_id, signer_id)
    LEFT JOIN orgtree_installationsigner known USING (installation_id, signer_id)
    WHERE known.id IS NULL ORDER BY installation_id, signer_id
    ON CONFLICT DO NOTHING RETURNING installation_id
"""
# Only installations without a decision; signers without a person, waiting ones and bots change nothing.
_OWNERS = """
    SELECT installation.id, count(DISTINCT signer.person_id) > 1,
           CASE WHEN count(DISTINCT signer.person_id) = 1 THEN min(signer.person_id)
                WHEN count(DISTINCT signer.person_id) = 0 THEN installation.person_id END
    FROM orgtree_identity installation
    JOIN orgtree_installationsigner signs ON signs.installation_id = installation.id
    JOIN orgtree_identity signer ON signer.id = signs.signer_id
    WHERE installation.id = ANY (%s) AND installation.standing = 'found'
    GROUP BY installation.id
"""
