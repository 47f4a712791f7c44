"""Comparable teams: the rule in words, the known facts of each team, and which teams the rule selects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from core import sql
from core.authorship import changes_by
from core.write_errors import FieldError, MayNotWriteError
from insights.findings.contexts import contexts_of
from insights.models.contexts import ComparableRule
from insights.privacy.visible import UnitQueries, visible_together
from insights.query.query import Answer, Dimension, Query, Window
from orgtree.access.access import Access, aggregates_access

FIELDS = ("size_factor", "same_stage", "same_long_reviews", "same_language", "age_factor", "work_type_points")
DATA_WEEKS = timedelta(weeks=26)
MOST_UNKNOWN = 0.5  # of a team's work: nothing is derived if more is unknown
TWICE = 2.0
YEAR = timedelta(days=365.25)
_FIRST_COMMITS = """
    SELECT repository.name, min(git_commit.authored_at)::date
    FROM integrations_commitinrepository held
    JOIN integrations_commit git_commit ON git_commit.id = held.commit_id
    JOIN integrations_repository repository ON repository.id = held.repository_id AND NOT repository.shallow
    WHERE held.on_default_branch
    GROUP BY repository.name
"""


@dataclass(frozen=True)
class Team:
    """The known facts of a team; `work_types` are shares of 0 to 100 of its merged pull requests."""

    people: int
    stage: str = ""
    long_reviews: bool | None = None
    language: str = ""
    years: float | None = None
    work_types: Mapping[str, float] = field(default_factory=dict)


def teams_known(people: Mapping[int, int], rule: ComparableRule, today: date) -> Mapping[int, Team]:
    """Each unit's features for the rule: from people's statements of context, else from half a year of data."""
    contexts, data = contexts_of(people, today), _Data.read(people, rule, today)
    return {
        unit: Team(
            people=number,
            stage=contexts[unit].stage,
            long_reviews=contexts[unit].long_reviews,
            language=(contexts[unit].language or data.languages.get(unit, "")).lower(),
            years=data.years.get(unit),
            work_types=_mix(data.work_types.get(unit, {}), contexts[unit].weights),
        )
        for unit, number in people.items()
    }


def are_comparable(team: Team, other: Team, rule: ComparableRule) -> bool:
    """Whether the rule holds for both teams; facts that are unknown of one of them exclude nobody."""
    return (
        _within(team.people, other.people, rule.size_factor)
        and not (rule.same_stage and _differ(team.stage, other.stage))
        and not (rule.same_long_reviews and bool(team.long_reviews) != bool(other.long_reviews))
        and not (rule.same_language and _differ(team.language, other.language))
        and _within(team.years, other.years, rule.age_factor)
        and _is_alike(team.work_types, other.work_types, rule.work_type_points)
    )


def in_words(rule: ComparableRule) -> str:
    """The rule after “teams of the same Org Tree”, such as “with between half and twice as many people”."""
    terms = []
    if rule.size_factor:
        terms.append(f"with {_times(rule.size_factor, 'many people')}")
    if rule.age_factor:
        terms.append(f"whose repositories are {_times(rule.age_factor, 'old')}")
    same = [
        words
        for words, is_needed in (
            ("whose code is new in both or old in both (greenfield or legacy)", rule.same_stage),
            ("of the same main language", rule.same_language),
            ("where long reviews are expected in both or in neither", rule.same_long_reviews),
        )
        if is_needed
    ]
    if rule.work_type_points:
        same.append(f"whose shares of each work type are at most {rule.work_type_points} points apart")
    return ", ".join(["teams of the same Org Tree", *terms, *same])


def change_rule(access: Access, values: Mapping[str, Any]) -> ComparableRule:
    """Admins change the rule; the next night compares by it.  Raises FieldError, MayNotWriteError."""
    viewer = access.viewer
    if not isinstance(viewer, User) or not viewer.is_superuser:
        raise MayNotWriteError("Admins change the rule of comparable units.")
    rule = ComparableRule.current()
    for name, value in values.items():
        if name not in FIELDS:
            raise FieldError(str(name)[:40], f"The rule has no such field. Fields: {', '.join(FIELDS)}.")
        if not isinstance(value, int | float | None):
            raise FieldError(name, "It must be a number, true, false or null.")
        setattr(rule, name, value)
    try:
        rule.clean_fields()
    except ValidationError as problem:
        name, messages = next(iter(problem.message_dict.items()))
        raise FieldError(name, messages[0]) from problem
    with changes_by(viewer):
        rule.save()
    return rule


def _times(factor: float, what: str) -> str:
    if factor == TWICE:
        return f"between half and twice as {what}"
    return f"at most {factor:g} times as {what}, or as {'young' if what == 'old' else 'few'}"


def _within(one: float | None, other: float | None, factor: float | None) -> bool:
    if factor is None or not one or not other:
        return True
    return max(one, other) <= factor * min(one, other)


def _differ(one: str, other: str) -> bool:
    return bool(one and other and one != other)


def _is_alike(one: Mapping[str, float], other: Mapping[str, float], points: int | None) -> bool:
    if points is None or not one or not other:
        return True
    return all(abs(one.get(name, 0) - other.get(name, 0)) <= points for name in {*one, *other})


def _mix(counts: Mapping[str, float], weights: Mapping[str, float]) -> Mapping[str, float]:
    weighted = {name: count * weights.get(name, 1.0) for name, count in counts.items()}
    whole = sum(weighted.values())
    return {name: 100 * count / whole for name, count in weighted.items()} if whole else {}


@dataclass(frozen=True)
class _Data:
    """Facts of each unit from its people's commits and merged pull requests; only those that the rule needs."""

    languages: Mapping[int, str]
    years: Mapping[int, float]
    work_types: Mapping[int, Mapping[str, float]]

    @classmethod
    def read(cls, units: Collection[int], rule: ComparableRule, today: date) -> _Data:
        window = Window(today - DATA_WEEKS, today)
        wanted = {
            Dimension.LANGUAGE: ("commit.lines", rule.same_language),
            Dimension.REPOSITORY: ("pr.cycle_time", rule.age_factor),
            Dimension.WORK_TYPE: ("pr.cycle_time", rule.work_type_points),
        }
        queries = [Query(key, window, segments=(by,)) for by, (key, is_needed) in wanted.items() if is_needed]
        if not queries:
            return cls({}, {}, {})
        [by_unit] = visible_together(aggregates_access(), units=[UnitQueries(queries, [*units])]).units
        counts: dict[Dimension, dict[int, Mapping[str, float]]] = defaultdict(dict)
        for unit, answers in by_unit.items():
            for answer in answers:
                [by] = answer.query.segments
                counts[by][unit] = _counts(answer, by)
        return cls(
            languages={unit: most for unit, of in counts[Dimension.LANGUAGE].items() if (most := _most(of))},
            years=_years(counts[Dimension.REPOSITORY], today) if rule.age_factor else {},
            work_types=counts[Dimension.WORK_TYPE],
        )


def _counts(answer: Answer, by: Dimension) -> Mapping[str, float]:
    """The number of facts by value: a count's own value, otherwise the number of facts behind it."""
    is_count = answer.query.key == "commit.lines"
    return {
        value.segment[by]: float(value.value or 0) if is_count else float(value.sample_size)
        for value in answer.total
        if value.value is not None
    }


def _most(counts: Mapping[str, float]) -> str:
    known = {name: count for name, count in counts.items() if name != "unknown"}
    if sum(known.values()) <= MOST_UNKNOWN * sum(counts.values()):
        return ""
    return max(known, key=lambda name: (known[name], name))


def _years(counts: Mapping[int, Mapping[str, float]], today: date) -> Mapping[int, float]:
    """The age of the repositories that a unit works in, weighted by its merged pull requests."""
    first: Mapping[str, date] = dict(sql.rows(_FIRST_COMMITS))
    years = {}
    for unit, of in counts.items():
        known = {name: count for name, count in of.items() if name in first}
        whole = sum(known.values())
        if whole > MOST_UNKNOWN * sum(of.values()):
            years[unit] = sum((today - first[name]) / YEAR * count for name, count in known.items()) / whole
    return years


def comparable_teams(people: Mapping[int, int], rule: ComparableRule, today: date) -> Mapping[int, Sequence[int]]:
    """The teams with which each one, given with its people, is comparable."""
    known = teams_known(people, rule, today)
    return {
        unit: [other for other, beside in known.items() if other != unit and are_comparable(team, beside, rule)]
        for unit, team in known.items()
    }
