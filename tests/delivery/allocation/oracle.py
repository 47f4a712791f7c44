"""A slow second count of people's time, from the records that were pushed and nothing that Headway derived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

UNLINKED, UNMATCHED = "Unlinked", "Unmatched"


@dataclass(frozen=True)
class Item:
    key: str
    type: str
    parent: str
    labels: Sequence[str]
    assignee: str
    started: datetime
    done: datetime | None
    components: Sequence[str] = ()


@dataclass(frozen=True)
class Act:
    """A commit or review of a pull request, and the items that it names."""

    person: str
    at: datetime
    items: Sequence[str]
    weight: float


@dataclass
class World:
    items: dict[str, Item] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    away: set[tuple[str, date]] = field(default_factory=set)  # people and days on which they are not at work


# The rules that a new organisation has, as their documentation states them: rank, category, types, labels.
RULES = (
    (10, "Keeping the lights on", (), ("maintenance", "ktlo", "security", "dependencies", "support", "on-call")),
    (20, "Improvements", (), ("improvement", "enhancement", "performance", "usability")),
    (20, "Productivity", (), ("tech-debt", "refactoring", "developer-experience", "ci", "tooling")),
    (30, "Improvements", ("improvement", "enhancement"), ()),
    (30, "Keeping the lights on", ("bug", "operations", "incident", "support"), ()),
    (30, "Productivity", ("tech debt", "documentation"), ()),
    (40, "New features", ("feature", "story"), ()),
)


def category_of(world: World, key: str) -> str:
    """The first rule that matches the item; else those of its parents, each once."""
    seen: set[str] = set()
    while key in world.items and key not in seen:
        seen.add(key)
        item = world.items[key]
        for _, category, types, labels in RULES:
            if item.type.lower() in types or set(item.labels) & set(labels):
                return category
        key = item.parent
    return UNMATCHED


def days_by_category(world: World, monday: date, today: date) -> Mapping[tuple[str, str], float]:
    """Days of the week by person and category."""
    days = [monday + timedelta(days=n) for n in range(5) if monday + timedelta(days=n) <= today]
    weights: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for day in days:
        held: dict[str, list[str]] = defaultdict(list)
        for item in world.items.values():
            ends = item.done.date() if item.done else date.max
            if item.started.date() <= day <= ends:
                held[item.assignee].append(item.key)
        for person, keys in held.items():
            for key in keys:
                weights[person][category_of(world, key)] += 1 / len(keys)
    for act in world.acts:
        if monday <= act.at.date() < monday + timedelta(days=7):
            for key in act.items:
                weights[act.person][category_of(world, key)] += act.weight / len(act.items)
            if not act.items:
                weights[act.person][UNLINKED] += act.weight
    shares = {}
    for person, by_category in weights.items():
        present = [day for day in days if (person, day) not in world.away]
        whole = sum(by_category.values())
        for category, weight in by_category.items():
            if present:
                shares[person, category] = len(present) * weight / whole
    return shares
