"""An admin's rules that turn a tool's records into deployments and name their environments, one per line.

    acme/deploy-*: environment={ENV}, service={APP}, repository=acme/{APP}, sha={COMMIT}
    acme/shop/main: stage=Deploy to *, environment={stage}
    checkout/GitHub*: environment={environment}

The part before the colon is a pattern of names: of Jenkins' jobs (in a multibranch project with the branch), or of
PagerDuty's services with the sender of their change events.  {ENV} is the parameter or detail of that name, {stage} the
name of a build's stage.  The first rule that matches and gives an environment counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase

from integrations.connectors.base import Connector, Json
from integrations.connectors.errors import PermanentError

_PARAMETER = re.compile(r"\{([^{}]+)\}")
STAGE = "stage"
SETTING = "deployments"  # the field of a connection's form that holds its rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule; `text` is the line as it was written."""

    text: str
    pattern: str
    environment: str
    service: str = ""
    repository: str = ""
    sha: str = ""
    unplanned: str = ""
    stage: str = ""

    def matches(self, job: str) -> bool:
        return fnmatchcase(job.casefold(), self.pattern.casefold())

    @property
    def parameters(self) -> set[str]:
        """The names of the parameters that it reads."""
        named = {name for value in self._values.values() for name in _PARAMETER.findall(value)}
        return named - {STAGE}

    def deployment(self, parameters: Mapping[str, str]) -> Json | None:
        """The values that the rule gives a build, with {stage} unchanged; None if the build's parameters name no
        environment.
        """
        values = {
            name: _PARAMETER.sub(lambda found: _value(found, parameters), value).strip()
            for name, value in self._values.items()
        }
        return values if values["environment"] else None

    @property
    def _values(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(field.name for field in fields(Rule) if field.name not in ("text", "pattern"))


@dataclass(frozen=True, slots=True)
class Rules:
    """An admin's rules; `text` contains them as entered."""

    text: str
    rules: Sequence[Rule]

    def of(self, job: str) -> list[Rule]:
        """The rules that match a job, by its name as it is shown."""
        return [rule for rule in self.rules if rule.matches(job)]


class UnreadableRuleError(ValueError):
    """A line that is not a rule."""


def read_rules(text: str) -> Rules:
    """Parse an admin's rules.  Raises UnreadableRuleError, in words for an admin."""
    lines = [line.strip() for line in text.splitlines()]
    return Rules(text.strip(), [_rule(number, line) for number, line in enumerate(lines, 1) if line and line[0] != "#"])


class ConnectorWithRules(Connector):
    """A connector whose form has the field `deployments`, with an admin's rules."""

    @property
    def rules(self) -> Rules:
        """The parsed rules.  Raises PermanentError if one cannot be read."""
        try:
            return read_rules(self.settings.values.get(SETTING, ""))
        except UnreadableRuleError as problem:
            raise PermanentError(
                f"A deployment rule cannot be read. {problem}", what_to_do="Correct it in the connection's form."
            ) from None

    @classmethod
    def mistakes(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        try:
            read_rules(values.get(SETTING, ""))
        except UnreadableRuleError as problem:
            return {SETTING: str(problem)}
        return {}


def deployment_by(rules: Sequence[Rule], parameters: Mapping[str, str]) -> Json | None:
    """The values of the first of a job's rules that gives an environment; None if no rule does."""
    return next((values for rule in rules if (values := rule.deployment(parameters))), None)


def is_unplanned(value: str) -> bool | None:
    """The value of a switch; None if it has none."""
    return {"true": True, "false": False}.get(value.casefold())


def in_stage(values: Json, stage: str) -> Json:
    """The values of one stage."""
    return {name: value.replace(f"{{{STAGE}}}", stage) for name, value in values.items()}


def _value(found: re.Match[str], parameters: Mapping[str, str]) -> str:
    return found[0] if found[1] == STAGE else parameters.get(found[1], "")


def _rule(number: int, line: str) -> Rule:
    pattern, colon, rest = line.partition(": ")
    if not colon or not pattern.strip():
        raise UnreadableRuleError(f"Line {number} has no pattern before a colon: acme/deploy: environment={{ENV}}.")
    values = dict(_values(number, rest))
    if not values.get("environment"):
        raise UnreadableRuleError(
            f"Line {number} names no environment: environment={{ENV}}, or environment=production."
        )
    if "{stage}" in "".join(values.values()) and STAGE not in values:
        raise UnreadableRuleError(f"Line {number} uses {{stage}} and has no stage=….")
    return Rule(text=line, pattern=pattern.strip(), **values)


def _values(number: int, rest: str) -> Iterator[tuple[str, str]]:
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or name.strip() not in NAMES:
            known = ", ".join(NAMES)
            raise UnreadableRuleError(f"Line {number}: “{part.strip()}” is none of {known}, followed by = and a value.")
        yield name.strip(), value.strip()
