"""Texts for the activity of identities: shares, and the effect of confirming."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from orgtree.identities.activity import Activity
from orgtree.identities.unmatched_queue import BOTS_BY_NAME, Unmatched
from orgtree.models import Identity, IdentityKind

# Providers that integrations/code/commits/authors.py assigns to signatures without a person.
_SIGNATURES = {BOTS_BY_NAME: "Signs as a bot", "git": "Signature without an address"}


@dataclass(frozen=True)
class Share:
    """The unmatched share of one kind of activity; empty without any activity."""

    label: str
    share: str
    counts: str


def shares(unmatched: Unmatched) -> list[Share]:
    """Unmatched commits, sessions and cost, each as a share and as counts."""
    whole, part = unmatched.everybody, unmatched.nobody
    return [
        Share("Commits", percent(part.commits, whole.commits), f"{part.commits:,} of {whole.commits:,}"),
        Share("Sessions", percent(part.sessions, whole.sessions), f"{part.sessions:,} of {whole.sessions:,}"),
        Share("Cost", percent(part.cost, whole.cost), f"{money(part.cost)} of {money(whole.cost)}"),
    ]


def confirmation_effect(count: int, matched: Activity, now: Unmatched) -> str:
    """One sentence: what confirming would match, and the resulting unmatched shares."""
    if not count:
        return ""
    done = list(_amounts(matched))
    these = "this one" if count == 1 else f"these {count}"
    if not done:
        return f"Confirming {these} changes no figure of the last 12 weeks."
    falls = [
        f"from {before.share} to {then.share} of {then.label.lower()}"
        for before, then in zip(shares(now), shares(now.without(matched)), strict=True)
        if before.share != then.share
    ]
    sentence = f"Confirming {these} matches {_listed(done)}"
    return f"{sentence}: unmatched falls {_listed(falls)}." if falls else f"{sentence}."


def activity_label(activity: Activity) -> str:
    """12 commits · 3 sessions · $4.10; zero counts are left out."""
    return " · ".join(_amounts(activity)) or "no activity"


def source_of(identity: Identity) -> str:
    """Kind and provider of an identity: "E-mail address", "Login at github"."""
    if identity.provider in _SIGNATURES:
        return _SIGNATURES[identity.provider]
    kind = IdentityKind(identity.kind).label
    if identity.kind == IdentityKind.LOGIN and not identity.provider:
        return "Login at every provider"
    return f"{kind} at {identity.provider}" if identity.provider else kind


def percent(part: Decimal | int, whole: Decimal | int) -> str:
    """8.1%; empty if the whole is zero."""
    return f"{100 * part / whole:.1f}%" if whole else ""


def money(dollars: Decimal) -> str:
    return f"${dollars:,.2f}" if dollars < 100 else f"${dollars:,.0f}"


def _amounts(activity: Activity) -> Iterator[str]:
    for amount, one, many in ((activity.commits, "commit", "commits"), (activity.sessions, "session", "sessions")):
        if amount:
            yield f"{amount:,} {one if amount == 1 else many}"
    if activity.cost:
        yield money(activity.cost)


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
