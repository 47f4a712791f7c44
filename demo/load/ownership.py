"""Ownership in the demo: confirms the proposed owners."""

from __future__ import annotations

from integrations.delivery.ownership.proposals import confirm_proposed
from orgtree.models import OrgTree


def confirm_demo_owners() -> int:
    """Give each repository, in every tree, to whom it is proposed for; how many.  A second call changes nothing."""
    return confirm_proposed(OrgTree.objects.filter(archived_at=None), by=None).confirmed
