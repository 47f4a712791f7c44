"""What a provider's words mean here: each word with its use and examples, Headway's reading of it, and one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from integrations.admin.connections.sections import section_context
from integrations.delivery.mappings.effective import Subject
from integrations.delivery.mappings.values_seen import MOST_WORDS, Example, SeenWord, words_seen
from integrations.delivery.set_mapping import CHOICES, UnknownMeaningError, set_meaning
from integrations.models import Connection

DEFAULT = "default"  # the choice that takes an own one back
QUESTIONS: Mapping[Subject, tuple[str, str]] = {
    Subject.ENVIRONMENT: ("Environments", "Where is production? Deployments to it are what DORA counts."),
    Subject.DEPLOYING: (
        "Pipelines that deploy",
        "Which pipelines put something into an environment? A successful run of one is a deployment to it.",
    ),
    Subject.LABEL: ("Labels", "Which labels say what work is for? They speak for pull requests and work items."),
    Subject.ITEM_TYPE: ("Types of work items", "What is a work item of this type for?"),
    Subject.STATUS: ("Statuses", "Where does an item in this status stand? Cycle times follow from it."),
    Subject.SEVERITY: ("Severities", "How severe is an incident of this word?"),
    Subject.ACTIVITY: (
        "Work in statuses",
        "Of the statuses in progress, in which does somebody work, and in which does an item wait? Flow efficiency is"
        " the share of the former.",
    ),
    Subject.FOUND_BY: (
        "Who found bugs",
        "Which labels, types, projects and reporters say that a bug was found in production, or by a customer?",
    ),
    Subject.ENDING: (
        "How items end",
        "Which statuses and resolutions say that an item was dropped? What was cancelled or not planned is over, and no"
        " delivered work.",
    ),
}


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class WordLine:
    """A word with what it can mean, the chosen meaning marked."""

    word: str
    records: int
    examples: Sequence[Example]
    choices: Sequence[Choice]
    is_decided: bool


def meanings(request: HttpRequest, connection: Connection) -> HttpResponse:
    """The words of one subject, `?subject=`.  A POST saves what changed and applies it to all that is stored."""
    requested = request.GET.get("subject", "")
    subject = Subject(requested) if requested in Subject.values else Subject.ENVIRONMENT
    seen = words_seen(connection, subject)
    if request.method == "POST":
        _save(request, connection, subject, seen)
        address = reverse("admin:integrations_connection_meanings", args=[connection.pk])
        return redirect(f"{address}?subject={subject}")
    title, question = QUESTIONS[subject]
    context = {
        **section_context(request, connection, title=f"What words mean at {connection}", current="meanings"),
        "lines": [_line(subject, word) for word in seen],
        "subjects": [(choice.value, heading, choice == subject) for choice, (heading, _) in QUESTIONS.items()],
        "subject": subject.value,
        "heading": title,
        "question": question,
        "is_cut": len(seen) >= MOST_WORDS,
        "most": MOST_WORDS,
    }
    return render(request, "admin/integrations/connection/meanings.html", context)


def _save(request: HttpRequest, connection: Connection, subject: Subject, seen: Sequence[SeenWord]) -> None:
    """Words and choices come as two lists of one order."""
    before = {word.word: word for word in seen}
    words, choices = request.POST.getlist("word"), request.POST.getlist("means")
    changed = records = 0
    for word, choice in zip(words, choices, strict=False):
        if word not in before or choice == _chosen(before[word]):
            continue
        try:
            records += set_meaning(connection, subject, word, None if choice == DEFAULT else choice)
        except UnknownMeaningError as problem:
            messages.error(request, str(problem))
            return
        changed += 1
    if not changed:
        messages.info(request, "Nothing was changed.")
        return
    message = f"{changed:,} {'word means' if changed == 1 else 'words mean'} something else now"
    messages.success(
        request, f"{message}; {records:,} stored {'record follows' if records == 1 else 'records follow'}."
    )


def _line(subject: Subject, seen: SeenWord) -> WordLine:
    chosen = _chosen(seen)
    by_default = Choice(DEFAULT, f"By default: {_words(seen.by_default)}", chosen == DEFAULT)
    own = [Choice(str(choice), _words(str(choice)), chosen == choice) for choice in CHOICES[subject]]
    return WordLine(seen.word, seen.records, _safe(seen.examples), [by_default, *own], seen.is_decided)


def _safe(examples: Sequence[Example]) -> list[Example]:
    """With links to pages only."""
    return [
        Example(example.title, example.url if example.url.startswith(("https://", "http://")) else "")
        for example in examples
    ]


def _chosen(seen: SeenWord) -> str:
    return seen.means if seen.is_decided else DEFAULT


def _words(means: str) -> str:
    return means.replace("_", " ") if means else "says nothing"
