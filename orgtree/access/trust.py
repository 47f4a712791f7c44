"""Disclosure of individual data.  docs/access.md

The organisation's policy and the trial mode decide how rows of other people are shown.  People always see their own
data.
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

from core.hooks import Hook
from orgtree.models import IndividualPolicy, Organisation, Person
from orgtree.models.visibility import Viewer
from orgtree.organisation.fiscal_calendar import first_month

# Ten base-32 characters in two readable groups: among 10,000 people, two share a pseudonym in one of twenty million
# viewer-quarters; with six characters it would be one of twenty.
PSEUDONYM_LENGTH = 10
HIDDEN_LABEL = "Another developer"

CountActivePeople = Callable[[int], int]
# Counters of people with activity; a counter may stop at the given number.
active_people_counters: Hook[CountActivePeople] = Hook()


class RowKind(enum.Enum):
    """Kinds of rows about people that policies distinguish."""

    DELIVERY = "delivery"  # pull requests, reviews, work items, commits: public in their tools
    AGENTS_IN_DELIVERY = "agents_in_delivery"  # agent activity in these
    TELEMETRY = "telemetry"  # sessions, tokens, spend, seats: not shown by name elsewhere


class Disclosure(enum.Enum):
    """The ways in which rows of other people are shown to a viewer."""

    WITH_NAMES = "with names"
    AS_IN_TOOLS = "with names, and without any mention of agents"
    TOTALS = "totals under pseudonyms"
    OWN = "not at all: only one's own"


@dataclass(frozen=True)
class TrialState:
    """Trial mode: everybody who can sign in sees everything while too few people have activity."""

    in_trial: bool
    minimum_group_size: int
    protected_since: datetime | None

    @property
    def notice(self) -> str:
        """Text of the banner; empty outside trial mode."""
        if not self.in_trial:
            return ""
        return (
            f"Fewer than {self.minimum_group_size} people have activity, so everyone who can sign in sees every "
            "name and figure. Protection switches on with person "
            f"{self.minimum_group_size} and stays on."
        )


def trial_state() -> TrialState:
    """The trial state; ends trial mode for good once enough people have activity."""
    return trial_state_of(Organisation.current())


def trial_state_of(organisation: Organisation) -> TrialState:
    """The trial state of an organisation that was just read, as `trial_state`."""
    size = organisation.minimum_group_size
    if organisation.protected_since is None and sum(count(size) for count in active_people_counters) >= size:
        now = timezone.now()
        Organisation.objects.filter(pk=organisation.pk, protected_since=None).update(protected_since=now)
        organisation.refresh_from_db(fields=["protected_since"])
    return TrialState(organisation.protected_since is None, size, organisation.protected_since)


def disclosure_of(of: RowKind, policy: IndividualPolicy, *, covered: bool) -> Disclosure:
    """The policy's disclosure of others' rows; `covered`: to members and managers of their unit, else to other viewers.

    Pseudonyms never apply to rows that other tools show with names: counts, days or durations there would identify
    people.
    """
    if covered and policy == IndividualPolicy.NAMED:
        return Disclosure.WITH_NAMES
    if of is RowKind.DELIVERY:
        return Disclosure.AS_IN_TOOLS
    is_total = covered and policy == IndividualPolicy.PSEUDONYMS and of is RowKind.TELEMETRY
    return Disclosure.TOTALS if is_total else Disclosure.OWN


def person_labels(
    viewer: Viewer, people: Iterable[Person], *, policy: IndividualPolicy, own_id: int | None, question: str = ""
) -> Mapping[int, str]:
    """Display names by id for this viewer: the name, a pseudonym, or HIDDEN_LABEL.

    `policy` is the one in effect, `own_id` the viewer's own person; `Access.labels` supplies both.
    A pseudonym is stable for one viewer, question and quarter: comparing viewers or questions reveals nothing.
    A viewer without an account (an API token without a user) never sees names, not even in trial mode.
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
    # Keyed, so that nobody can compute a colleague's pseudonym.
    message = f"{viewer.pk if viewer else ''} {key} {person.public_id}".encode()
    digest = hmac.digest(b"pseudonym" + settings.SECRET_KEY.encode(), message, hashlib.sha256)
    encoded = base64.b32encode(digest).decode()
    middle = PSEUDONYM_LENGTH // 2
    return f"{encoded[:middle]}-{encoded[middle:PSEUDONYM_LENGTH]}"


def quarter_of(day: date) -> str:
    """An opaque key of the day's fiscal quarter."""
    months = day.year * 12 + day.month - first_month()
    return str(months // 3)
