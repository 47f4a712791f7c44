"""Who may see what of individual people.  docs/access.md

Two rules decide what another person's rows look like: the organisation's policy, and the trial mode in which an
installation starts.  One's own figures and name are always one's own.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from orgtree.models import IndividualPolicy, Organisation, Person
from orgtree.models.sight import Viewer, person_of
from orgtree.organisation.fiscal_calendar import first_month

__all__ = [
    "HIDDEN_LABEL",
    "RowsOf",
    "Shown",
    "TrialState",
    "Viewer",
    "count_active_people_with",
    "others_rows",
    "person_labels",
    "person_of",
    "quarter_of",
    "trial_state",
    "trial_state_of",
]

# Ten characters of base 32, in two groups that can be read: among 10,000 people two share a pseudonym in one of twenty
# million viewers' quarters.  A list of everybody shows all of them; with six it would be one of twenty.
PSEUDONYM_LENGTH = 10
HIDDEN_LABEL = "Another developer"

CountActivePeople = Callable[[int], int]
_counters: list[CountActivePeople] = []


class RowsOf(enum.Enum):
    """What rows tell of a person, as far as policies tell it apart."""

    DELIVERY = "delivery"  # pull requests, reviews, work items, commits: what their tools show everybody
    AGENTS_IN_DELIVERY = "agents_in_delivery"  # what agents did in these
    TELEMETRY = "telemetry"  # sessions, tokens, spend, seats: what no other tool shows by name


class Shown(enum.Enum):
    """How rows of other people stand before a viewer."""

    WITH_NAMES = "with names"
    AS_IN_TOOLS = "with names, and without a word of agents"
    TOTALS = "totals under pseudonyms"
    OWN = "not at all: one's own alone"


@dataclass(frozen=True)
class TrialState:
    """Whether everybody who can sign in still sees everything, because too few people have any activity."""

    in_trial: bool
    minimum_group_size: int
    protected_since: datetime | None

    @property
    def notice(self) -> str:
        """What the banner says; empty outside trial mode."""
        if not self.in_trial:
            return ""
        return (
            f"Fewer than {self.minimum_group_size} people have activity, so everyone who can sign in sees every "
            "name and figure. Protection switches on with person "
            f"{self.minimum_group_size} and stays on."
        )


def count_active_people_with(counter: CountActivePeople) -> None:
    """Register, at start-up, who counts the people that have any activity; it may stop at the number it is given."""
    if counter not in _counters:
        _counters.append(counter)


def trial_state() -> TrialState:
    """Whether the installation is in trial mode.  The first look that finds enough people ends it for good."""
    return trial_state_of(Organisation.current())


def trial_state_of(organisation: Organisation) -> TrialState:
    """As `trial_state`, of the organisation as it was just read."""
    size = organisation.minimum_group_size
    if organisation.protected_since is None and sum(count(size) for count in _counters) >= size:
        now = timezone.now()
        Organisation.objects.filter(pk=organisation.pk, protected_since=None).update(protected_since=now)
        organisation.refresh_from_db(fields=["protected_since"])
    return TrialState(organisation.protected_since is None, size, organisation.protected_since)


def others_rows(of: RowsOf, policy: IndividualPolicy, *, covered: bool) -> Shown:
    """How the policy shows rows of others; `covered`: to their unit's members and managers, else to who sees figures.

    Under pseudonyms nothing stands that tools show with names: whoever looks there would know somebody again by counts,
    days or durations.
    """
    if covered and policy == IndividualPolicy.NAMED:
        return Shown.WITH_NAMES
    if of is RowsOf.DELIVERY:
        return Shown.AS_IN_TOOLS
    is_total = covered and policy == IndividualPolicy.PSEUDONYMS and of is RowsOf.TELEMETRY
    return Shown.TOTALS if is_total else Shown.OWN


def person_labels(
    viewer: Viewer, people: Iterable[Person], *, policy: IndividualPolicy, own_id: int | None, question: str = ""
) -> Mapping[int, str]:
    """What to call each of these people before this viewer, by id: the name, a pseudonym, or nobody in particular.

    `policy` is the one in effect, `own_id` the viewer's own person: see `Access.labels`, which knows both.
    A pseudonym is the same for one viewer and question during one quarter: it tells two viewers nothing when they
    compare, nor one who lays answers to two questions side by side.
    A viewer without an account (an API token of nobody) never gets a name, not even on trial.
    """
    policy = policy if isinstance(viewer, User) else IndividualPolicy.PSEUDONYMS
    key = f"{quarter_of(timezone.localdate())} {question}"

    def label(person: Person) -> str:
        if policy == IndividualPolicy.NAMED or person.pk == own_id:
            return person.full_name
        if policy == IndividualPolicy.SELF_ONLY:
            return HIDDEN_LABEL
        return f"Developer {_pseudonym(viewer, person, key)}"

    return {person.pk: label(person) for person in people}


def _pseudonym(viewer: Viewer, person: Person, key: str) -> str:
    # Keyed, so that nobody can work out a colleague's pseudonym from what they know about both.
    message = f"{viewer.pk if viewer else ''} {key} {person.public_id}".encode()
    digest = hmac.digest(b"pseudonym" + settings.SECRET_KEY.encode(), message, hashlib.sha256)
    letters = base64.b32encode(digest).decode()
    middle = PSEUDONYM_LENGTH // 2
    return f"{letters[:middle]}-{letters[middle:PSEUDONYM_LENGTH]}"


def quarter_of(day: date) -> str:
    """The fiscal quarter that the day is in, as any text that differs from other quarters'."""
    months = day.year * 12 + day.month - first_month()
    return str(months // 3)
