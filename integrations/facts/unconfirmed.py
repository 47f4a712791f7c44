"""People known from telemetry alone."""

from __future__ import annotations

from core import sql
from integrations.models.connections import PUSH


def unconfirmed_people() -> tuple[int, ...]:
    """Ids of people with telemetry whom no other source confirms.

    Other sources are an import or an admin (`found_in_data` is false then), an account, a seat, a token of their own,
    or data of a provider or a clone: a commit, a pull request, a review, an item.  Pushed records do not confirm
    anybody, because their token may name anybody, too.
    """
    rows = sql.rows(
        """
        WITH provider AS (SELECT id FROM integrations_connection WHERE provider <> %(push)s)
        SELECT person.id
        FROM orgtree_person person
        WHERE person.found_in_data AND person.id IN (
            SELECT identity.person_id
            FROM integrations_enrolment enrolment
            JOIN orgtree_identity identity ON identity.id = enrolment.identity_id
        ) AND NOT EXISTS (
            SELECT FROM auth_user account
            WHERE account.is_active AND (account.id = person.user_id OR lower(account.email) = lower(person.email))
        ) AND NOT EXISTS (
            SELECT FROM orgtree_identity identity
            WHERE identity.person_id = person.id AND (
                (   -- Not EXISTS, for which the planner would scan all commits.
                    SELECT true FROM integrations_commit record
                    WHERE credited_id = identity.id AND NOT without_clone LIMIT 1
                ) OR EXISTS (
                    SELECT FROM integrations_pullrequest record
                    WHERE author_id = identity.id AND connection_id IN (SELECT id FROM provider)
                ) OR EXISTS (
                    SELECT FROM integrations_pullrequestreview review
                    JOIN integrations_pullrequest record ON record.id = review.pull_request_id
                    WHERE review.author_id = identity.id AND connection_id IN (SELECT id FROM provider)
                ) OR EXISTS (
                    SELECT FROM integrations_workitem record
                    WHERE assignee_id = identity.id AND connection_id IN (SELECT id FROM provider)
                ) OR EXISTS (SELECT FROM integrations_seatassignment WHERE identity_id = identity.id)
                  OR EXISTS (SELECT FROM integrations_ingesttoken WHERE identity_id = identity.id)
            )
        )
        ORDER BY person.id
        """,
        {"push": PUSH},
    )
    return tuple(person for (person,) in rows)
