"""Handles decisions posted by the identity pages, and their result messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from orgtree.identities import decisions
from orgtree.identities.decision_log import DecisionError, Steps, undo_change
from orgtree.models import Identity, IdentityChange, MatchProposal, Person

MOST_AT_ONCE = 1000
_SESSION_KEY = "identity_result"


@dataclass(frozen=True)
class Outcome:
    """The result of a post as a sentence, and the log entries it can undo."""

    message: str
    is_problem: bool = False
    changes: Sequence[int] = field(default_factory=tuple)

    @property
    def undo(self) -> str:
        return ",".join(map(str, self.changes))


def carry_out_post(request: HttpRequest, user: User) -> Outcome:
    """Apply the posted action.  Raises Http404 for unknown objects."""
    for name, action in _ACTIONS.items():
        if name in request.POST:
            try:
                return action(request, user)
            except DecisionError as problem:
                return Outcome(str(problem), is_problem=True)
    return Outcome("Nothing was chosen.", is_problem=True)


def answer(
    request: HttpRequest, outcome: Outcome, fragment: str, context: Callable[[], dict[str, object]]
) -> HttpResponse:
    """The updated fragment for htmx, else a redirect to the page."""
    if request.headers.get("HX-Request"):
        return render(request, fragment, {**context(), "outcome": outcome})
    request.session[_SESSION_KEY] = asdict(outcome)
    return HttpResponseRedirect(request.get_full_path())


def previous_outcome(request: HttpRequest) -> Outcome | None:
    """The result of the post that redirected here; shown once."""
    stored = request.session.pop(_SESSION_KEY, None)
    return Outcome(**stored) if stored else None


def _confirm(request: HttpRequest, user: User) -> Outcome:
    chosen = _numbers(request, "confirm")
    people = MatchProposal.objects.filter(pk__in=chosen).values_list("person__full_name", flat=True)
    return _done(decisions.confirm(chosen, by=user), f"is {' and '.join(people)} now")


def _reject(request: HttpRequest, user: User) -> Outcome:
    chosen = _numbers(request, "reject")
    people = MatchProposal.objects.filter(pk__in=chosen).values_list("person__full_name", flat=True)
    return _done(decisions.reject(chosen, by=user), f"is not {' or '.join(people)}")


def _bot(request: HttpRequest, user: User) -> Outcome:
    identities = _identities(_numbers(request, "bot"))
    return _done(decisions.mark_bots(identities, by=user), "is marked as a bot", "are marked as bots")


def _no_bot(request: HttpRequest, user: User) -> Outcome:
    identities = _identities(_numbers(request, "no_bot"))
    return _done(decisions.unmark_bots(identities, by=user), "is not a bot", "are not bots")


def _split(request: HttpRequest, user: User) -> Outcome:
    (identity,) = _identities(_numbers(request, "split")[:1])
    return _done([decisions.split(identity, by=user)], "is now a separate person")


def _assign(request: HttpRequest, user: User) -> Outcome:
    identities = _identities(_numbers(request, "assign"))
    person = find_person(request.POST.get("person", ""))
    return _done(decisions.assign(identities, person, by=user), f"is {person} now", f"are {person} now")


def _merge(request: HttpRequest, user: User) -> Outcome:
    taken_in = Person.objects.filter(pk__in=_numbers(request, "merge")[:1]).first()
    if taken_in is None:
        raise Http404("No such person.")
    into = find_person(request.POST.get("person", ""))
    change = decisions.merge(taken_in, into, by=user)
    return Outcome(f"{taken_in} and {into} are one person now.", changes=[change.pk])


def _bulk(request: HttpRequest, user: User) -> Outcome:
    chosen = _numbers(request, "chosen")
    if not chosen:
        return Outcome("Tick the identities first.", is_problem=True)
    if request.POST["bulk"] == "confirm":
        return _done(decisions.confirm(chosen, by=user), "is confirmed", "are confirmed")
    if request.POST["bulk"] == "reject":
        return _done(decisions.reject(chosen, by=user), "is rejected", "are rejected")
    if request.POST["bulk"] == "bot":
        identities = Identity.objects.filter(pk__in=MatchProposal.objects.filter(pk__in=chosen).values("identity"))
        return _done(decisions.mark_bots(identities, by=user), "is marked as a bot", "are marked as bots")
    raise Http404("No such action.")


def _undo(request: HttpRequest, user: User) -> Outcome:
    ids = [int(part) for part in request.POST["undo"].split(",") if part.isascii() and part.isdigit()][:MOST_AT_ONCE]
    changes = list(IdentityChange.objects.filter(pk__in=ids).order_by("-pk"))
    if not changes:
        raise Http404("No such entry of the log.")
    with transaction.atomic():
        for change in changes:
            undo_change(change, by=user)
    return Outcome("Taken back." if len(changes) == 1 else f"{len(changes)} decisions are undone.")


_ACTIONS: dict[str, Callable[[HttpRequest, User], Outcome]] = {
    "confirm": _confirm,
    "reject": _reject,
    "bot": _bot,
    "no_bot": _no_bot,
    "split": _split,
    "assign": _assign,
    "merge": _merge,
    "bulk": _bulk,
    "undo": _undo,
}


def find_person(written: str) -> Person:
    """The person by address, else by full name.  DecisionError for none or several."""
    name = written.strip()
    people = list(Person.objects.filter(email__iexact=name)[:2]) if name else []
    people = people or (list(Person.objects.filter(full_name__iexact=name)[:2]) if name else [])
    if not people:
        raise DecisionError(f"No person has the name or address “{name[:100]}”. Enter it as listed under People.")
    if len(people) > 1:
        raise DecisionError(f"Several people are called {name[:100]}. Enter the address instead.")
    return people[0]


def _numbers(request: HttpRequest, name: str) -> list[int]:
    written = request.POST.getlist(name)[:MOST_AT_ONCE]
    if not all(number.isascii() and number.isdigit() and len(number) < 19 for number in written):
        raise Http404("No such row.")
    return list(dict.fromkeys(map(int, written)))


def _identities(ids: Sequence[int]) -> list[Identity]:
    identities = list(Identity.objects.filter(pk__in=ids).select_related("person"))
    if not identities or len(identities) < len(ids):
        raise Http404("No such identity.")
    return identities


def _done(changes: Sequence[IdentityChange], one: str, many: str = "") -> Outcome:
    """`one` and `many` follow the subject: "ada-k", or "12 identities"."""
    if not changes:
        return Outcome("Nothing changed: this was already the case.")
    if len(changes) == 1:
        steps: Steps = changes[0].steps
        concerned = [step["identity"] for step in (*steps["identities"], *steps["proposals"])]
        message = f"{Identity.objects.get(pk=concerned[0])} {one}."
    else:
        message = f"{len(changes):,} identities {many or one}."
    return Outcome(message, changes=[change.pk for change in changes])
