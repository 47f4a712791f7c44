"""Value mappings of a connection: each value with its use, examples, default mapping, and custom mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from integrations.admin.connections.sections import section_context
from integrations.delivery.mappings.effective import Subject
from integrations.delivery.mappings.values_seen import MOST_VALUES, Example, SeenValue, values_seen
from integrations.delivery.set_mapping import CHOICES, UnknownMappingError, set_value_mapping
from integrations.models import Connection

DEFAULT = "default"  # the choice that removes a custom mapping
QUESTIONS: Mapping[Subject, tuple[str, str]] = {
    Subject.ENVIRONMENT: ("Environments", "Which environments are production? DORA metrics count deployments to them."),
    Subject.DEPLOYING: (
        "Pipelines that deploy",
        "Which pipelines, and which jobs of other pipelines (pipeline / job), deploy, and to which environment? A"
        " successful run counts as a deployment.",
    ),
    Subject.LABEL: ("Labels", "Which work type does a label stand for? It applies to pull requests and work items."),
    Subject.ITEM_TYPE: ("Work item types", "Which work type is an item of this type?"),
    Subject.STATUS: ("Statuses", "Is an item in this status to do, in progress or done? Cycle times depend on it."),
    Subject.SEVERITY: ("Severities", "Which severity does the provider's value stand for?"),
    Subject.ACTIVITY: (
        "Active and waiting statuses",
        "In which in-progress statuses is an item worked on, and in which does it wait? Flow efficiency is the share of"
        " active time.",
    ),
    Subject.FOUND_BY: (
        "Where bugs were found",
        "Which labels, types, projects and reporters mark a bug as found in production, or by a customer?",
    ),
    Subject.ENDING: (
        "Resolutions",
        "Which statuses and resolutions mean that an item was dropped? Cancelled and unplanned items are closed, but"
        " not delivered.",
    ),
}


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class ValueLine:
    """A value with the mappings to choose from; the current one is marked."""

    seen: SeenValue
    examples: Sequence[Example]  # with http links only
    choices: Sequence[Choice]


def value_mappings(request: HttpRequest, connection: Connection) -> HttpResponse:
    """The values of one subject, `?subject=`.  A POST saves changed mappings and applies them to stored records."""
    requested = request.GET.get("subject", "")
    subject = Subject(requested) if requested in Subject.values else Subject.ENVIRONMENT
    seen = values_seen(connection, subject)
    if request.method == "POST":
        _save(request, connection, subject, seen)
        address = reverse("admin:integrations_connection_meanings", args=[connection.pk])
        return redirect(f"{address}?subject={subject}")
    title, question = QUESTIONS[subject]
    context = {
        **section_context(request, connection, title=f"Value mappings of {connection}", current="meanings"),
        "lines": [_line(subject, word) for word in seen],
        "subjects": [(choice.value, heading, choice == subject) for choice, (heading, _) in QUESTIONS.items()],
        "subject": subject.value,
        "heading": title,
        "question": question,
        "proposals": sum(1 for value in seen if value.proposed),
        "is_cut": len(seen) >= MOST_VALUES,
        "most": MOST_VALUES,
    }
    return render(request, "admin/integrations/connection/value_mappings.html", context)


def _save(request: HttpRequest, connection: Connection, subject: Subject, seen: Sequence[SeenValue]) -> None:
    """Save the changed mappings; the form sends values and choices as two lists in the same order."""
    before = {word.word: word for word in seen}
    words, choices = request.POST.getlist("word"), request.POST.getlist("means")
    changed = records = 0
    for word, choice in zip(words, choices, strict=False):
        if word not in before or choice == _chosen(before[word]):
            continue
        try:
            records += set_value_mapping(connection, subject, word, None if choice == DEFAULT else choice)
        except UnknownMappingError as problem:
            messages.error(request, str(problem))
            return
        changed += 1
    if not changed:
        messages.info(request, "No mapping was changed.")
        return
    message = f"{changed:,} value mapping{'' if changed == 1 else 's'} changed"
    messages.success(
        request, f"{message}; {records:,} stored {'record was' if records == 1 else 'records were'} updated."
    )


def _line(subject: Subject, seen: SeenValue) -> ValueLine:
    chosen = _chosen(seen)
    by_default = Choice(DEFAULT, f"Default: {_words(seen.by_default)}", chosen == DEFAULT)
    own = [Choice(str(choice), _words(str(choice)), chosen == choice) for choice in CHOICES[subject]]
    examples = [
        Example(example.title, example.url if example.url.startswith(("https://", "http://")) else "")
        for example in seen.examples
    ]
    return ValueLine(seen, examples, [by_default, *own])


def _chosen(seen: SeenValue) -> str:
    return seen.means if seen.is_decided else DEFAULT


def _words(means: str) -> str:
    return means.replace("_", " ") if means else "not mapped"
