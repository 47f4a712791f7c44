"""Telemetry sent with a personal token counts for that person, whatever address it claims."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple

from django.db.models import F

from integrations.models import IngestToken
from integrations.telemetry.otlp.decoded import DecodedRequest
from integrations.telemetry.otlp.ingest_tokens import Sender
from integrations.telemetry.otlp.session_keys import AuthorNames, SessionKey


class Claim(NamedTuple):
    """A row (by digest) that claims an author other than the token's person."""

    row: bytes
    address: str


def bind(decoded: DecodedRequest, sender: Sender) -> list[Claim]:
    """Assign all sessions of the request to the sender; return claims of other addresses."""
    if sender.identity_id is None:
        return []
    claims: list[Claim] = []
    bound: dict[SessionKey, SessionKey] = {}
    for session in (*(row.session for row in decoded.events), *(row.session for row in decoded.points)):
        if session is not None and session not in bound:
            author = AuthorNames(session.author.agent, "", "", "", "", "", identity=sender.identity_id)
            bound[session] = session._replace(author=author)
    for event in decoded.events:
        if event.session is not None and (address := _other_address(event.session.author, sender)):
            claims.append(Claim(event.digest, address))
    for point in decoded.points:
        if address := _other_address(point.session.author, sender):
            claims.append(Claim(point.series, address))
    decoded.events = [row._replace(session=bound[row.session]) if row.session else row for row in decoded.events]
    decoded.points = [row._replace(session=bound[row.session]) for row in decoded.points]
    return claims


def note_claims(token_id: int, claims: Sequence[Claim], new: Container[bytes]) -> None:
    """Count the claims of new rows, in the caller's transaction."""
    counted = [claim for claim in claims if claim.row in new]
    if counted:
        IngestToken.objects.filter(pk=token_id).update(
            other_claims=F("other_claims") + len(counted), last_claim=counted[-1].address
        )


def _other_address(author: AuthorNames, sender: Sender) -> str:
    """The address or login that a record claims, if it is not one of the sender's; otherwise empty."""
    claimed = [name.strip() for name in (author.end_user, author.email) if name.strip()]
    return next((name for name in claimed if name.lower() not in sender.names), "")
