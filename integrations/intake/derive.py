"""What follows from stored records: which records are derived anew once some of a kind were told of."""

from __future__ import annotations

from integrations.connectors.words import Kind
from integrations.intake.derive_links import settle_links
from integrations.intake.derive_pull_requests import settle_pull_requests
from integrations.intake.records import Written
from integrations.models import Connection


def derive(connection: Connection, kind: Kind, written: Written) -> set[int]:
    """Bring up to date what is derived from these records; those of this kind that changed by it."""
    touched = written.touched | written.removed
    if kind == Kind.PULL_REQUEST and touched:
        settle_links(pull_requests=touched)
        return settle_pull_requests(touched)
    return set()
