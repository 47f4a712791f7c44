"""Who may look at what.  PRODUCT.md §9, docs/access.md.

`viewable(user)` answers for an account; querysets answer for rows (`Unit.objects.visible_to(user)`).  Both rest on
orgtree/models/sight.py, so that they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

from orgtree.models import IndividualPolicy, Organisation
from orgtree.models.sight import NOTHING, Sight, Viewer, sight_of
from orgtree.services.trust import TrialState, trial_state_of

__all__ = ["NOTHING", "Access", "Sight", "Viewer", "access_of", "viewable"]


@dataclass(frozen=True)
class Access:
    """What one viewer may look at, and what of people is withheld from them: read once for each response."""

    viewer: Viewer
    sight: Sight
    policy: IndividualPolicy  # in effect: names, while the trial lasts
    trial: TrialState

    @property
    def minimum_group_size(self) -> int:
        return self.trial.minimum_group_size

    @property
    def shows_small_groups(self) -> bool:
        """Whether a figure of fewer people than the minimum group size may be shown."""
        return self.policy == IndividualPolicy.NAMED


def access_of(viewer: Viewer) -> Access:
    organisation = Organisation.current()
    trial = trial_state_of(organisation)  # the look that finds enough people ends the trial, before it shows anything
    policy = IndividualPolicy.NAMED if trial.in_trial else IndividualPolicy(organisation.individual_policy)
    return Access(viewer, sight_of(viewer, organisation), policy, trial)


def viewable(viewer: Viewer) -> Sight:
    """What the viewer may look at today: see `Sight`.  Nobody who is not signed in sees anything."""
    return access_of(viewer).sight
