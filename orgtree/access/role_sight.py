"""Sentences on what each role sees and does not see, derived from the rules that are in force or proposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User

from orgtree.access.trust import Disclosure, RowKind, disclosure_of
from orgtree.models import IndividualPolicy, Organisation, Role
from orgtree.models.visibility import AccountToday, Visibility, visibility_from

ADMIN, MEMBER = "admin", "member"
ROLES = {
    Role.EXECUTIVE.value: "Executive",
    Role.MANAGER.value: "Manager",
    MEMBER: "Member",
    ADMIN: "Admin",
    Role.AUDITOR.value: "Auditor",
    Role.FINANCE.value: "Finance",
}
OWN, OTHER = 1, 2  # an invented viewer's unit, and any other one
UNITS_OF = {Role.MANAGER.value: "the units that they lead or manage"}
DELIVERY_ROWS = "Pull requests, reviews, work items and commits"
AGENT_ROWS = "what agents did in them"
TELEMETRY_ROWS = "Sessions, tokens and spend of each developer"


@dataclass(frozen=True)
class Sentence:
    """A sentence on what a role sees, or does not see.  `key` and `value` name the rule and its outcome, for tests."""

    key: str
    value: str
    text: str
    is_seen: bool


@dataclass(frozen=True)
class SampleRow:
    """An invented developer's row as a role sees it; a hidden figure is empty."""

    name: str
    sessions: str
    spend: str
    ai_committed: str
    is_own: bool = False


# The same invented developers by name, and under pseudonyms with totals rounded as insights/privacy/withhold.py does.
NAMED_SAMPLE = (
    SampleRow("Noa Example", "64", "$212", "41.2%"),
    SampleRow("Kit Specimen", "51", "$147", "38.0%"),
    SampleRow("Ari Placeholder", "48", "$96", "33.7%"),
)
PSEUDONYMOUS_SAMPLE = (
    SampleRow("Amber Heron", "60", "$200", ""),
    SampleRow("Quiet Maple", "50", "$100", ""),
    SampleRow("Copper Finch", "50", "$100", ""),
)
_OWN_SAMPLE = SampleRow("You", "17", "$41", "22.4%", is_own=True)


@dataclass(frozen=True)
class _Rules:
    """The rules for one role: its visibility, with the unit OWN as its own."""

    role: str
    organisation: Organisation
    visibility: Visibility

    @property
    def policy(self) -> IndividualPolicy:
        if self.organisation.protected_since is None:
            return IndividualPolicy.NAMED
        return IndividualPolicy(self.organisation.individual_policy)

    @property
    def own(self) -> str:
        return UNITS_OF.get(self.role, "their own units")

    @property
    def covers_everything(self) -> bool:
        return self.visibility.can_see_individuals(None)

    @property
    def covered(self) -> str:
        """The units in which the role sees rows of other people; empty if in none."""
        if self.covers_everything:
            return "every unit"
        return self.own if self.visibility.can_see_individuals(OWN) else ""


def sentences_of(role: str, organisation: Organisation, *, has_trees: bool) -> list[Sentence]:
    """Everything that a holder of the role sees, then what they do not see; of an organisation that need not be saved.

    The holder is a member of one unit, which a manager leads; members of no unit see less, and nobody sees more.
    """
    rules = _rules_for(role, organisation, has_trees=has_trees)
    found = [*_totals(rules), *_small_groups(rules), *_rows(rules), *_leaderboard(rules), *_acts(rules)]
    return sorted(found, key=lambda sentence: not sentence.is_seen)


def sample_rows(role: str, organisation: Organisation, *, has_trees: bool) -> list[SampleRow]:
    """Invented rows of sessions and spend, as a holder of the role sees those of their unit."""
    rules = _rules_for(role, organisation, has_trees=has_trees)
    shown = disclosure_of(RowKind.TELEMETRY, rules.policy, covered=bool(rules.covered))
    others = {Disclosure.WITH_NAMES: NAMED_SAMPLE, Disclosure.TOTALS: PSEUDONYMOUS_SAMPLE}.get(shown, ())
    return [*others, _OWN_SAMPLE]


def role_of(account: User, today: AccountToday) -> str:
    """The role under which the page describes an account: the one that shows the most."""
    if account.is_superuser:
        return ADMIN
    if Role.EXECUTIVE in today.roles:
        return Role.EXECUTIVE.value
    if today.managed:
        return Role.MANAGER.value
    without_units = (Role.FINANCE, Role.AUDITOR) if not today.own else ()
    return next((role.value for role in without_units if role in today.roles), MEMBER)


def _rules_for(role: str, organisation: Organisation, *, has_trees: bool) -> _Rules:
    account = User(is_active=True, is_superuser=role == ADMIN)
    leads = frozenset({OWN} if role == Role.MANAGER else ())
    today = AccountToday(
        person_id=1,
        managed=leads,
        own=frozenset({OWN} - leads if role != ADMIN else ()),
        slugs={},
        homes=(),
        roles=frozenset({role} & set(Role.values)),
        has_trees=has_trees,
    )
    return _Rules(role, organisation, visibility_from(account, organisation, today))


def _totals(rules: _Rules) -> Iterator[Sentence]:
    if rules.visibility.whole:
        yield Sentence("totals", "all", "Totals of the whole organisation and of every unit", True)
    else:
        yield Sentence("totals", "own", f"Totals of {rules.own} and those below", True)
        same = f"Any unit that has exactly the people of one or several of {rules.own}, as these"
        yield Sentence("same_people", "shown", same, True)
        yield Sentence("other_totals", "none", "Totals of other units and of the whole organisation", False)


def _small_groups(rules: _Rules) -> Iterator[Sentence]:
    size = rules.organisation.minimum_group_size
    if rules.policy == IndividualPolicy.NAMED:
        yield Sentence("small_groups", "shown", "Figures of any number of people", True)
        return
    text = f"AI figures of fewer than {size} people, or anything that they could be computed from"
    yield Sentence("small_groups", "hidden", text, False)
    if rules.role != ADMIN:
        yield Sentence("small_delivery", "shown", f"Delivery figures of {rules.own}, also of fewer people", True)


def _rows(rules: _Rules) -> Iterator[Sentence]:
    covered = bool(rules.covered)
    in_covered = {of: disclosure_of(of, rules.policy, covered=covered) for of in RowKind}
    named = in_covered[RowKind.DELIVERY] is Disclosure.WITH_NAMES
    of = rules.covered or "every unit"
    names = f"{DELIVERY_ROWS} of {of} by name"
    yield Sentence(
        "delivery", "named", f"{names}, and {AGENT_ROWS}" if named else f"{names}, as their tools show", True
    )
    if not rules.visibility.whole:
        yield Sentence("other_delivery", "none", f"{DELIVERY_ROWS} of other units", False)
    elif covered and not rules.covers_everything:
        yield Sentence("other_delivery", "named", f"{DELIVERY_ROWS} of other units by name, as their tools show", True)
    if not named:
        yield Sentence("agents_in_delivery", "own", "Whether a named colleague used an agent", False)
    match in_covered[RowKind.TELEMETRY]:
        case Disclosure.WITH_NAMES:
            yield Sentence("telemetry", "named", f"{TELEMETRY_ROWS} in {of}, by name", True)
        case Disclosure.TOTALS:
            text = f"{TELEMETRY_ROWS} in {of}, as rounded totals under pseudonyms"
            yield Sentence("telemetry", "totals", text, True)
        case _:
            yield Sentence("telemetry", "own", "Sessions, tokens and spend of any other developer", False)


def _leaderboard(rules: _Rules) -> Iterator[Sentence]:
    if not rules.organisation.leaderboard:
        yield Sentence("leaderboard", "off", "The leaderboard, which is off", False)
    elif not rules.covered or rules.policy == IndividualPolicy.SELF_ONLY:
        yield Sentence(
            "leaderboard", "own", "The leaderboard with their own row alone, and units in place of others", True
        )
    else:
        how = "by name" if rules.policy == IndividualPolicy.NAMED else "under pseudonyms"
        yield Sentence("leaderboard", "rows", f"The leaderboard of {rules.covered}, {how}", True)


def _acts(rules: _Rules) -> Iterator[Sentence]:
    visibility = rules.visibility
    where = "every unit" if visibility.whole else rules.own
    yield Sentence("program", "all" if visibility.whole else "own", f"Objectives, tickets and reviews of {where}", True)
    if visibility.leads_whole:
        yield Sentence("writes", "all", "May set objectives, write tickets and sign reviews for every unit", True)
    elif visibility.leads_any:
        yield Sentence("writes", "own", f"May set objectives, write tickets and sign reviews for {rules.own}", True)
    else:
        yield Sentence("writes", "none", "Forms to set objectives and sign reviews", False)
    if rules.role in (ADMIN, Role.AUDITOR):
        yield Sentence("audit_log", "read", "The audit log: rules, roles, and what admins changed", True)
    else:
        yield Sentence("audit_log", "none", "The audit log", False)
    if visibility.reads_capitalisation:
        text = f"Eligible time of initiatives of at least {rules.organisation.minimum_group_size} people, for finance"
        yield Sentence("capitalisation", "read", text, True)
    else:
        yield Sentence("capitalisation", "none", "Which work is eligible for capitalisation", False)
    if rules.role == ADMIN:
        yield Sentence(
            "configuration", "all", "May change connections, people, roles, and the rules on this page", True
        )
