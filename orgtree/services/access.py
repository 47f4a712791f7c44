"""Who may look at what.  PRODUCT.md §9, docs/access.md.

`viewable(user)` answers for an account; querysets answer for rows (`Unit.objects.visible_to(user)`).  Both rest on
orgtree/models/sight.py, so that they cannot disagree.
"""

from __future__ import annotations

from orgtree.models.sight import NOTHING, Sight, Viewer, sight_of
from orgtree.services.trust import trial_state

__all__ = ["NOTHING", "Sight", "Viewer", "viewable"]


def viewable(viewer: Viewer) -> Sight:
    """What the viewer may look at today: see `Sight`.  Nobody who is not signed in sees anything."""
    trial_state()  # the look that finds enough people ends the trial, before it shows anything
    return sight_of(viewer)
