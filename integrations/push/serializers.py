"""The records of the push API: strict about names and times, lenient with values.  docs/push.md documents them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from integrations.connectors.drafts import Who
from integrations.connectors.reader import EARLIEST

CLOCK_SKEW = timedelta(minutes=10)  # clocks of build machines run ahead a little; later times are mistakes
_HEX = re.compile("[0-9a-fA-F]+")
LONGEST_WORD = 200
LONGEST_NAME = 500
LONGEST_URL = 2000
LARGEST = 2**31 - 1
LARGEST_ESTIMATE = 1e6  # points
NO_OBJECT = ["A record is an object with named fields."]


class StrictSerializer(serializers.Serializer[Any]):
    """Rejects unknown fields by name: a misspelt one would otherwise be lost silently."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"record": NO_OBJECT})
        if unknown := sorted(str(name)[:60] for name in data if name not in self.fields):
            known = ", ".join(self.fields)
            raise serializers.ValidationError({name: [f"There is no such field. Fields: {known}."] for name in unknown})
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as refusal:
            return super().to_internal_value(self._without_odd_fields(data, refusal))

    def _without_odd_fields(self, data: Mapping[str, Any], refusal: serializers.ValidationError) -> dict[str, Any]:
        """The data without invalid optional fields; lists of parts lose only their invalid parts.

        The context's `left_out` gives the reason for each.  Raises the refusal if a required field is invalid.
        """
        problems: dict[str, Any] = refusal.detail if isinstance(refusal.detail, dict) else {}
        if not problems or any(name not in self.fields or self.fields[name].required for name in problems):
            raise refusal
        kept, left_out = dict(data), self.context["left_out"]
        for name, problem in problems.items():
            path = f"{self.parent.field_name}.{name}" if self.parent else name
            if isinstance(problem, dict) and isinstance(kept[name], list):
                kept[name] = [part for position, part in enumerate(kept[name]) if position not in problem]
                for place, why in problem.items():
                    left_out[f"{path}[{place}]"] = in_words(why, f"{path}[{place}]")
            else:
                del kept[name]
                left_out[path] = in_words(problem, path)
        return kept


class Text(serializers.CharField):
    """Text without NUL; an empty one is allowed if the field is not required."""

    def __init__(self, *, longest: int = LONGEST_WORD, **options: Any) -> None:
        if not options.get("required", True):
            options |= {"allow_blank": True, "allow_null": True, "default": ""}
        super().__init__(max_length=longest, **options)

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, int) and not isinstance(data, bool):
            data = str(data)  # ids are numbers in some systems and text in others
        return super().to_internal_value(data)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data.replace("\0", "") if isinstance(data, str) else data) or ""


class Branch(Text):
    """The name of a branch as other records give it: main, even if refs/heads/main is sent."""

    def __init__(self) -> None:
        super().__init__(required=False, longest=LONGEST_NAME)

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).removeprefix("refs/heads/")


class Sha(Text):
    """A commit's id, compared in lower case; a tag or anything else stays unchanged."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"longest": 64, **options})

    def to_internal_value(self, data: Any) -> str:
        written = super().to_internal_value(data)
        return written.lower() if _HEX.fullmatch(written) else written


class Title(Text):
    """Text of any length, truncated when stored to what a page can show."""

    def __init__(self, **options: Any) -> None:
        super().__init__(longest=1_000_000, **options)


class ImpossibleTimeError(serializers.ValidationError):
    """A time at which nothing can have happened."""


class Time(serializers.Field[datetime, Any, str, Any]):
    """A time in ISO 8601 with its offset from UTC, after 1970-01-01, not in the future."""

    may_be_future = False

    def __init__(self, **options: Any) -> None:
        if not options.get("required", True):
            options |= {"allow_null": True, "default": None}
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> datetime:
        try:
            at = datetime.fromisoformat(data)
        except (TypeError, ValueError):
            raise serializers.ValidationError(
                "This is not a time. Write ISO 8601 with the offset from UTC, such as 2026-05-04T09:30:00+02:00."
            ) from None
        if at.tzinfo is None:
            raise serializers.ValidationError("The time lacks its offset from UTC. Add Z or, for example, +02:00.")
        if at < EARLIEST:
            raise ImpossibleTimeError(f"The time lies before {EARLIEST:%Y-%m-%d}.")
        if not self.may_be_future and at > timezone.now() + CLOCK_SKEW:
            raise ImpossibleTimeError("The time lies in the future. Check the clock or the offset from UTC.")
        return at.astimezone(UTC)


class PlannedTime(Time):
    """A time that may lie in the future."""

    may_be_future = True


class PartTime(Time):
    """The time of a part of the record; None if it is impossible, because the record counts without it.

    `left_out` of the serializer's context names the fields, such as commits.authored_at.
    """

    def to_internal_value(self, data: Any) -> datetime | None:  # type: ignore[override]
        try:
            return super().to_internal_value(data)
        except ImpossibleTimeError as problem:
            path = f"{self.parent.parent.field_name}.{self.field_name}"
            self.context["left_out"][path] = in_words(problem.detail, path)
            return None


class Count(serializers.IntegerField):
    """A number of lines or the like: 0 or more; null if unknown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=LARGEST, required=False, allow_null=True, default=None, **options)


class Texts(serializers.ListField):
    """A list of words."""

    def __init__(self) -> None:
        super().__init__(
            child=Text(longest=LONGEST_NAME), required=False, allow_null=True, default=list, max_length=500
        )

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data) or []


def who(named: str) -> Who | None:
    """The person whom a record names, by e-mail address or login; None if the name is empty."""
    if not named.strip():
        return None
    return Who(email=named) if "@" in named else Who(login=named)


def in_words(errors: Any, path: str = "") -> str:
    """DRF's nested messages in one sentence per field: reviews[0].state: This field is required."""
    if isinstance(errors, Mapping):
        inner = [in_words(error, _path(path, name)) for name, error in errors.items() if error]
        return " ".join(inner)
    if isinstance(errors, list) and any(isinstance(error, Mapping) for error in errors):
        return " ".join(in_words(error, f"{path}[{position}]") for position, error in enumerate(errors) if error)
    return f"{path}: {' '.join(str(error) for error in errors)}"


def _path(path: str, name: Any) -> str:
    if isinstance(name, int):  # an index of a list
        return f"{path}[{name}]"
    name = "record" if name == "non_field_errors" else str(name)
    return f"{path}.{name}" if path else name


def in_order(record: dict[str, Any], *names: str) -> None:
    """Refuses a record whose times run backwards; missing ones are skipped."""
    given = [(name, record[name]) for name in names if record.get(name) is not None]
    for (earlier, before), (later, after) in pairwise(given):
        if after < before:
            raise serializers.ValidationError({later: [f"It lies before {earlier}."]})


class Record(StrictSerializer):
    updated_at = Time(required=False)


class DeploymentRecord(Record):
    id = Text()
    repository = Text(longest=LONGEST_NAME)
    environment = Text()
    status = Text()
    finished_at = Time(required=False)
    sha = Sha(required=False, longest=LONGEST_WORD)
    service = Text(required=False)
    started_at = Time(required=False)
    url = Text(required=False, longest=LONGEST_URL)
    deployed_by = Text(required=False, longest=320)
    rollback_of = Text(required=False)
    fixes = Texts()
    unplanned = serializers.BooleanField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["status"].lower() != "running" and attrs["finished_at"] is None:
            raise serializers.ValidationError({"finished_at": ["A deployment that is not running needs finished_at."]})
        in_order(attrs, "started_at", "finished_at")
        return attrs


class IncidentRecord(Record):
    id = Text()
    started_at = Time()
    title = Title(required=False)
    severity = Text(required=False)
    service = Text(required=False)
    repository = Text(required=False, longest=LONGEST_NAME)
    acknowledged_at = Time(required=False)
    resolved_at = Time(required=False)
    caused_by = Text(required=False)
    url = Text(required=False, longest=LONGEST_URL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        in_order(attrs, "started_at", "resolved_at")
        in_order(attrs, "started_at", "acknowledged_at")
        return attrs


class PipelineRunRecord(Record):
    id = Text()
    repository = Text(longest=LONGEST_NAME)
    name = Text()
    status = Text()
    sha = Sha(required=False)
    branch = Branch()
    queued_at = Time(required=False)
    started_at = Time(required=False)
    finished_at = Time(required=False)
    attempt = serializers.IntegerField(min_value=1, max_value=10_000, required=False, default=1)
    url = Text(required=False, longest=LONGEST_URL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        in_order(attrs, "queued_at", "started_at", "finished_at")
        return attrs


class ReviewRecord(StrictSerializer):
    author = Text(longest=320)
    state = Text()
    submitted_at = PartTime()


class PullRequestCommitRecord(StrictSerializer):
    sha = Sha()
    author_email = Text(required=False, longest=320)
    authored_at = PartTime(required=False)
    committed_at = PartTime(required=False)
    message = Title(required=False)
    parents = Texts()


class PullRequestRecord(Record):
    id = Text()
    repository = Text(longest=LONGEST_NAME)
    number = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    author = Text(longest=320)
    created_at = Time()
    state = Text()
    title = Title(required=False)
    draft = serializers.BooleanField(required=False, default=False)
    ready_at = Time(required=False)
    merged_at = Time(required=False)
    closed_at = Time(required=False)
    merged_by = Text(required=False, longest=320)
    requested_by = Text(required=False, longest=320)
    merge_sha = Sha(required=False)
    source_branch = Branch()
    target_branch = Branch()
    additions = Count()
    deletions = Count()
    labels = Texts()
    work_items = Texts()
    reviews = serializers.ListField(child=ReviewRecord(), required=False, default=list, max_length=5000)
    commits = serializers.ListField(child=PullRequestCommitRecord(), required=False, default=list, max_length=5000)
    url = Text(required=False, longest=LONGEST_URL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["state"].lower() == "merged" and attrs["merged_at"] is None:
            raise serializers.ValidationError({"merged_at": ["A merged pull request needs merged_at."]})
        if attrs["state"].lower() == "closed" and attrs["closed_at"] is None:
            raise serializers.ValidationError({"closed_at": ["A closed pull request needs closed_at."]})
        in_order(attrs, "created_at", "merged_at")
        in_order(attrs, "created_at", "closed_at")
        in_order(attrs, "created_at", "ready_at")
        return attrs


class CommitRecord(Record):
    repository = Text(longest=LONGEST_NAME)
    sha = Sha()
    parents = serializers.ListField(child=Sha(), max_length=100)
    branch = Branch()
    author_email = Text(required=False, longest=320)
    authored_at = Time(required=False)
    committed_at = Time(required=False)
    message = Title(required=False)
    additions = Count()
    deletions = Count()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["committed_at"] is None and attrs["authored_at"] is None:
            raise serializers.ValidationError({"committed_at": ["A commit counts at its time. Send committed_at."]})
        return attrs


class TransitionRecord(StrictSerializer):
    at = PartTime()
    category = Text()
    to = Text(required=False)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a keyword of Python, and cannot be declared above.
        return super().get_fields() | {"from": Text(required=False)}


class AssigneeRecord(StrictSerializer):
    at = PartTime()
    assignee = Text(required=False, longest=320)


class SprintMoveRecord(StrictSerializer):
    at = PartTime()
    sprint = Text()
    added = serializers.BooleanField(required=False, default=True)


class EstimateRecord(StrictSerializer):
    at = PartTime()
    estimate = serializers.FloatField(allow_null=True, min_value=0, max_value=LARGEST_ESTIMATE)


class WorkItemRecord(Record):
    id = Text()
    project = Text()
    title = Title()
    type = Text()
    status_category = Text()
    created_at = Time()
    priority = Text(required=False)
    assignee = Text(required=False, longest=320)
    assignees = serializers.ListField(child=AssigneeRecord(), required=False, default=list, max_length=5000)
    estimate = serializers.FloatField(required=False, allow_null=True, default=None, min_value=0, max_value=1e9)
    estimates = serializers.ListField(child=EstimateRecord(), required=False, default=list, max_length=5000)
    sprints = serializers.ListField(child=SprintMoveRecord(), required=False, default=list, max_length=5000)
    parent = Text(required=False)  # type: ignore[assignment]  # the framework takes fields off the class again
    labels = Texts()
    components = Texts()
    resolved_at = Time(required=False)
    transitions = serializers.ListField(child=TransitionRecord(), required=False, default=list, max_length=5000)
    first_category = Text(required=False)
    url = Text(required=False, longest=LONGEST_URL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        in_order(attrs, "created_at", "resolved_at")
        return attrs


class SprintRecord(Record):
    id = Text()
    board = Text()
    name = Text(longest=LONGEST_NAME)
    state = Text()
    starts_at = PlannedTime(required=False)
    ends_at = PlannedTime(required=False)
    closed_at = Time(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        state, start = attrs["state"].strip().lower(), attrs["starts_at"]
        if state in ("active", "closed") and (start is None or start > timezone.now() + CLOCK_SKEW):
            raise serializers.ValidationError({"starts_at": [f"A sprint that is {state} has begun. Send starts_at."]})
        if state == "closed" and attrs["closed_at"] is None:
            raise serializers.ValidationError({"closed_at": ["A closed sprint needs closed_at."]})
        in_order(attrs, "starts_at", "ends_at")
        in_order(attrs, "starts_at", "closed_at")
        return attrs
