"""Who owns what in the demo: as an admin would say it, by confirming what is proposed."""

from __future__ import annotations

from integrations.ownership.proposals import confirm, proposals
from orgtree.models import OrgTree


def confirm_demo_owners() -> int:
    """Give each repository, in every tree, to whom it is proposed for; how many.  A second call changes nothing.

    What only the top of a tree could own stays nobody's, as an admin would leave it.
    """
    found = proposals(OrgTree.objects.filter(archived_at=None))
    return confirm([(each.owned_id, each.unit.pk) for each in found if not each.is_root], by=None)
