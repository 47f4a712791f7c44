"""Admins' rules for names that neither an address nor a known name resolves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from integrations.intake.names import folded, folded_service, host_of, matches, spelled, spelled_pattern
from integrations.models import Connection, PlacingRule

_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one subject that apply to a connection.

    The connection's own rules precede those of any connection, and whole names precede patterns.
    """

    rules: Sequence[PlacingRule]

    def deciding(self, names: Iterable[str]) -> list[PlacingRule]:
        """The rules that decide something for these names: several if they contradict each other."""
        written = [name for name in names if name]
        found = [rule for rule in self.rules if is_matched(rule, written)]
        first = min(map(_rank, found), default=None)
        return list({_target(rule): rule for rule in reversed(found) if _rank(rule) == first}.values())[::-1]


def rules_of(connection: Connection, subject: PlacingRule.Subject) -> RuleSet:
    applicable = PlacingRule.objects.filter(Q(connection=connection) | Q(connection=None), subject=subject)
    return RuleSet(list(applicable.select_related("repository").order_by("pk")))


def is_matched(rule: PlacingRule, names: Iterable[str]) -> bool:
    """Whether the rule matches one of the names, in the spelling of its subject."""
    if rule.subject == PlacingRule.Subject.REPOSITORY:
        return matches(map(folded, names), [spelled_pattern(rule.pattern)])
    if any(wildcard in rule.pattern for wildcard in _WILDCARDS):
        return matches(map(folded, names), [folded(rule.pattern)])
    return folded_service(rule.pattern) in map(folded_service, names)


def names_of_repository(named: str, source: str) -> tuple[str, ...]:
    """The names that rules are compared with: the address and its path; without a repository, the pipeline or
    service.
    """
    if not named:
        return (source,)
    name = spelled(named)
    return (name, name.partition("/")[2]) if host_of(name) else (name,)


def _rank(rule: PlacingRule) -> tuple[bool, bool]:
    return (rule.connection_id is None, any(wildcard in rule.pattern for wildcard in _WILDCARDS))


def _target(rule: PlacingRule) -> str:
    return str(rule.repository_id) if rule.repository_id else folded_service(rule.service)
