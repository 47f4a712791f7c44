"""Access decisions: what each viewer may see.  docs/access.md.

`viewable(user)` is for accounts, querysets are for rows (`Unit.objects.visible_to(user)`).  Both use
orgtree/models/visibility.py, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.contrib.auth.models import User

from orgtree.access.trust import TrialState, person_labels, trial_state_of
from orgtree.models import IndividualPolicy, Organisation, Person, Role
from orgtree.models.visibility import (
    AGGREGATES,
    Viewer,
    Visibility,
    account_today,
    visibility_from,
    visibility_without_account,
)
from orgtree.organisation.cached_settings import cache_settings


@dataclass(frozen=True)
class Access:
    """The access of a viewer, with what is withheld from them; read once per response."""

    viewer: Viewer
    visibility: Visibility
    policy: IndividualPolicy  # in effect: NAMED in trial mode
    trial: TrialState
    organisation: Organisation
    roles: frozenset[str] = frozenset()  # granted and in force

    @property
    def minimum_group_size(self) -> int:
        return self.trial.minimum_group_size

    @property
    def is_of_account(self) -> bool:
        """Whether the viewer is an account; tokens without a user read aggregates and no names."""
        return isinstance(self.viewer, User)

    @property
    def role(self) -> str:
        """The account's highest role as shown on pages; managers are managers by grant and leaders of units."""
        if getattr(self.viewer, "is_superuser", False):
            return "Admin"
        held = {*self.roles, *([Role.MANAGER] if self.visibility.managed_ids else [])}
        ranked = (Role.EXECUTIVE, Role.MANAGER, Role.FINANCE, Role.AUDITOR)
        return next((str(role.label) for role in ranked if role in held), "Member")

    def address_of(self, person: Person | None) -> str | None:
        """An owner's e-mail address; None also for tokens without a user."""
        return person.email if person and self.is_of_account else None

    def written(self, person: Person | None) -> str:
        """The person as written in re-importable lists: address, else name; empty for tokens without a user."""
        if person is None or not self.is_of_account:
            return ""
        return person.email or person.full_name

    @property
    def shows_small_groups(self) -> bool:
        """Whether a figure of fewer people than the minimum group size may be shown."""
        return self.policy == IndividualPolicy.NAMED

    @property
    def fewest_shown(self) -> int:
        """The smallest number of people whose figures may be shown."""
        return 1 if self.shows_small_groups else self.minimum_group_size

    def is_few(self, people: int) -> bool:
        """Whether this number of people, or records of at most this number, may not be counted before the viewer."""
        return people < self.fewest_shown

    def labels(self, people: Iterable[Person], *, question: str = "") -> Mapping[int, str]:
        """Display names by id, as the viewer may see them; pseudonyms differ by `question`."""
        own_id = self.visibility.person_id
        return person_labels(self.viewer, people, policy=self.policy, own_id=own_id, question=question)


def access_of(viewer: Viewer) -> Access:
    account = viewer if isinstance(viewer, User) else None
    organisation, today = account_today(account) if account else (Organisation.current(), None)
    cache_settings(organisation)
    trial = trial_state_of(organisation)  # ends the trial before anything is shown, if there are enough people
    policy = IndividualPolicy.NAMED if trial.in_trial else IndividualPolicy(organisation.individual_policy)
    seen = visibility_from(account, organisation, today) if account and today else visibility_without_account(viewer)
    roles = today.roles if today else frozenset()
    return Access(viewer, seen, policy, trial, organisation, roles)


def public_access() -> Access:
    """Access of anonymous readers: published aggregates, never of fewer people than the minimum group size.

    Neither trial mode nor the policy NAMED opens small groups to them.
    """
    organisation = Organisation.current()
    cache_settings(organisation)
    trial = trial_state_of(organisation)
    return Access(None, AGGREGATES, IndividualPolicy.PSEUDONYMS, trial, organisation)


def aggregates_access() -> Access:
    """Access to the whole organisation's aggregates under the policy in force, for no particular viewer."""
    return replace(access_of(None), visibility=AGGREGATES)


def viewable(viewer: Viewer) -> Visibility:
    """The viewer's visibility of today; nothing without signing in."""
    return access_of(viewer).visibility
