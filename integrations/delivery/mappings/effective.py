"""The value mappings in force at a connection: an admin's mapping if there is one, else the default."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from integrations.delivery.mappings.defaults import (
    default_activity,
    default_ending,
    default_found_by,
    default_severity,
    default_status_category,
    default_work_type_of_item_type,
    default_work_type_of_label,
)
from integrations.delivery.mappings.environments import (
    Verdict,
    default_deploying,
    default_environment,
    environment_of_title,
    judge_job_alone,
    place_in,
    proposed_deploying,
    proposed_environment,
)
from integrations.enums import Ending, Environment, FoundBy, Severity, StatusActivity, StatusCategory, WorkType
from integrations.models import Connection, ValueMapping

Subject = ValueMapping.Subject
LONGEST_WORD = 300
Word = TypeVar("Word", Ending, Environment, FoundBy, Severity, StatusActivity, StatusCategory, WorkType)
# Defects come before new features, and both before maintenance.
LABEL_ORDER = (
    WorkType.BUG,
    WorkType.FEATURE,
    WorkType.TECH_DEBT,
    WorkType.OPERATIONS,
    WorkType.DOCUMENTATION,
    WorkType.OTHER,
)


@dataclass(frozen=True, slots=True)
class ValueMappings:
    """The mappings of one connection; `decided` are an admin's, by subject and value (empty: not mapped)."""

    decided: dict[tuple[str, str], str]

    def is_decided(self, subject: Subject, word: str) -> bool:
        return (subject, word) in self.decided

    def of(self, subject: Subject, word: str) -> str | None:
        """The mapping of a value of any subject; None if it is not mapped."""
        of_subject: Mapping[Subject, Callable[[str], str | None]] = {
            Subject.ENVIRONMENT: self.of_environment,
            Subject.DEPLOYING: self.of_deploying,
            Subject.LABEL: lambda label: self.of_labels([label]),
            Subject.ITEM_TYPE: self.of_item_type,
            Subject.STATUS: self.of_status,
            Subject.SEVERITY: self.of_severity,
            Subject.ACTIVITY: self.of_activity,
            Subject.FOUND_BY: self.of_finder,
            Subject.ENDING: self.of_ending,
        }
        return of_subject[subject](word)

    def proposed(self, subject: Subject, word: str, job: str = "") -> Environment | None:
        """The environment proposed for a value with unknown words, for an admin to confirm.

        None if nothing is proposed or an admin already decided.  With a job, the value is this job of the pipeline.
        """
        if job:
            return Environment.PRODUCTION if self.of_job(word, job).proposed else None
        if self.is_decided(subject, word):
            return None
        if subject == Subject.DEPLOYING:
            return proposed_deploying(word)
        return proposed_environment(word) if subject == Subject.ENVIRONMENT else None

    def of_environment(self, name: str) -> Environment:
        return self._of(Subject.ENVIRONMENT, name, Environment, default_environment) or Environment.OTHER

    def of_reported(self, name: str, is_production: bool | None) -> Environment:
        """The environment of a name; the source's `is_production` counts if the name leaves that open."""
        believed = is_production and self.proposed(Subject.ENVIRONMENT, name)
        return believed or self.of_environment(name)

    def of_deployed(self, name: str, is_production: bool | None, of_statuses: Collection[str]) -> Environment:
        """The environment of a deployment: production if it ever was, by its own name or by that of a status."""
        if Environment.PRODUCTION in map(self.of_environment, of_statuses):
            return Environment.PRODUCTION
        return self.of_reported(name, is_production)

    def of_deploying(self, name: str) -> Environment | None:
        """The environment to which a pipeline of this name deploys; None if it does not deploy."""
        return self._of(Subject.DEPLOYING, name, Environment, default_deploying)

    def of_run(self, name: str, title: str) -> Environment | None:
        """The environment that a run deploys to, by its title, else by its pipeline's name."""
        by_name = self.of_deploying(name)
        if not title or (by_name is None and self.is_decided(Subject.DEPLOYING, name)):
            return by_name
        if by_name is None:
            return default_deploying(title) if environment_of_title(title) else None
        decided = self.decided.get((Subject.ENVIRONMENT, place_in(title)))
        return Environment(decided) if decided else environment_of_title(title) or by_name

    def of_job(self, pipeline: str, job: str) -> Verdict:
        """The environment that a job's name implies, if its pipeline's name does not say that it deploys."""
        decided = self.decided.get((Subject.DEPLOYING, word_of_job(pipeline, job)))
        if decided is not None:
            return Verdict(Environment(decided) if decided else None)
        if self.is_decided(Subject.DEPLOYING, pipeline):
            return Verdict(None)
        return judge_job_alone(pipeline, job)

    def of_labels(self, labels: Iterable[str]) -> WorkType | None:
        """The work type of the mapped label that comes first in `LABEL_ORDER`."""
        work_types = {self._of(Subject.LABEL, label, WorkType, default_work_type_of_label) for label in labels}
        return next((meant for meant in LABEL_ORDER if meant in work_types), None)

    def of_item_type(self, native_type: str) -> WorkType | None:
        return self._of(Subject.ITEM_TYPE, native_type, WorkType, default_work_type_of_item_type)

    def of_item(self, native_type: str, labels: Iterable[str]) -> WorkType | None:
        """The work type that rules give an item: by its type, else by its labels."""
        return self.of_item_type(native_type) or self.of_labels(labels)

    def of_status(self, status: str, category: str | None = None) -> StatusCategory | None:
        """The category of a status; `category` is the provider's own, which takes precedence over a default."""
        own = StatusCategory(category) if category else None
        return self._of(Subject.STATUS, status, StatusCategory, lambda word: own or default_status_category(word))

    def of_severity(self, severity: str, given: str | None = None) -> Severity:
        own = Severity(given) if given and given != Severity.UNKNOWN else None
        meant = self._of(Subject.SEVERITY, severity, Severity, lambda word: own or default_severity(word))
        return meant or Severity.UNKNOWN

    def of_activity(self, status: str) -> StatusActivity:
        """Whether work in this status is active; used for statuses in progress."""
        return self._of(Subject.ACTIVITY, status, StatusActivity, default_activity) or StatusActivity.ACTIVE

    def of_finder(self, word: str) -> FoundBy | None:
        """The finder of items with this label, type, project or reporter; None if it is not mapped."""
        return self._of(Subject.FOUND_BY, word, FoundBy, default_found_by)

    def of_ending(self, word: str) -> Ending:
        """The ending that a status or resolution means; used for items that are done."""
        return self._of(Subject.ENDING, word, Ending, default_ending) or Ending.DELIVERED

    def _of(self, subject: Subject, word: str, words: type[Word], default: Callable[[str], Word | None]) -> Word | None:
        means = self.decided.get((subject, word))
        if means is None:
            return default(word)
        return words(means) if means else None


def word_of_job(pipeline: str, job: str) -> str:
    """The value by which an admin maps a job, for example CI / deploy to production."""
    return f"{pipeline} / {job}"[:LONGEST_WORD]


def value_mappings_of(connection: Connection | int) -> ValueMappings:
    """The connection's current mappings; one query."""
    pk = connection.pk if isinstance(connection, Connection) else connection
    return value_mappings_by_connection([pk])[pk]


def value_mappings_by_connection(connections: Collection[int]) -> dict[int, ValueMappings]:
    """The current mappings of several connections."""
    mappings = {connection: ValueMappings({}) for connection in connections}
    stored = ValueMapping.objects.filter(connection__in=connections)
    for connection, subject, word, means in stored.values_list("connection", "subject", "word", "means"):
        mappings[connection].decided[subject, word] = means
    return mappings
