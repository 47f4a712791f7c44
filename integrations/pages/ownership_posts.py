"""POSTs of the ownership page: proposals confirmed, or selected things assigned to a unit from a day on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django.utils import timezone

from integrations.delivery.ownership.give import Gift, give
from integrations.delivery.ownership.proposals import confirm
from integrations.delivery.ownership.refusals import OwnershipRefusedError
from integrations.models import Owned, Ownership
from orgtree.models import OrgTree, Unit, UnitPlacement

MOST_AT_ONCE = 1000
NOBODY = "-"


def carry_out_post(request: HttpRequest, tree: OrgTree) -> None:
    """Perform the action of the pressed button, and leave a message.  Raises Http404 if something does not exist."""
    try:
        if "confirm" in request.POST:
            _confirm(request, _numbers([request.POST["confirm"]]), tree)
        elif request.POST.get("act") == "confirm":
            _confirm(request, _numbers(request.POST.getlist("chosen")), tree)
        elif request.POST.get("act") == "give":
            _give(request, _numbers(request.POST.getlist("chosen")), tree)
        else:
            raise Http404
    except OwnershipRefusedError as refusal:
        messages.error(request, str(refusal))


def _confirm(request: HttpRequest, chosen: Sequence[tuple[int, int | None]], tree: OrgTree) -> None:
    proposed = [(owned_id, unit_id) for owned_id, unit_id in chosen if unit_id is not None]
    of_tree = set(Unit.objects.filter(tree=tree, pk__in=[unit for _, unit in proposed]).values_list("pk", flat=True))
    if not all(unit_id in of_tree for _, unit_id in proposed):
        raise Http404
    if not proposed:
        messages.warning(request, "Tick rows with a proposal first.")
        return
    given = confirm(proposed, by=cast(User, request.user))
    if not given:
        messages.info(request, "All of them already have an owner.")
        return
    has = "has a new owner" if given == 1 else "have new owners"
    messages.success(request, f"{_named([owned_id for owned_id, _ in proposed], given)} {has}.")


def _give(request: HttpRequest, chosen: Sequence[tuple[int, int | None]], tree: OrgTree) -> None:
    """Assign to a unit from a day on; without a day, from the beginning if unowned, else from today."""
    owned_ids = [owned_id for owned_id, _ in chosen]
    if not owned_ids:
        messages.warning(request, "Tick rows first.")
        return
    slug = request.POST.get("unit", "")
    if not slug:
        messages.warning(request, "Choose the unit that should own them.")
        return
    unit = None if slug == NOBODY else Unit.objects.filter(tree=tree, slug=slug).first()
    if unit is None and slug != NOBODY:
        raise Http404
    try:
        start = date.fromisoformat(written) if (written := request.POST.get("from", "").strip()) else None
    except ValueError:
        messages.error(request, f"“{written[:40]}” is not a day. Write it as 2026-01-31.")
        return
    today = timezone.localdate()
    if unit is not None and not UnitPlacement.objects.filter(unit=unit, during__contains=start or today).exists():
        messages.error(request, f"{unit} is not in {tree} on {start or today}.")
        return
    unit_id = None if unit is None else unit.pk
    before = set(Ownership.objects.filter(tree=tree, owned__in=owned_ids).values_list("owned_id", flat=True))
    given = give(
        [Gift(owned_id, tree.pk, unit_id, start or (today if owned_id in before else None)) for owned_id in owned_ids],
        by=cast(User, request.user),
    )
    if not given:
        messages.info(request, "That was so already.")
        return
    days = f" from {start:%-d %B %Y} on" if start else ""
    owned = "is owned" if given == 1 else "are owned"
    messages.success(request, f"{_named(owned_ids, given)} {owned} by {unit or 'nobody'}{days}.")


def _named(owned_ids: Sequence[int], changed: int) -> str:
    """The name of the only selected thing; for several, the number that changed."""
    if len(owned_ids) > 1:
        return f"{changed:,} of them"
    return str(Owned.objects.select_related("repository", "project").get(pk=owned_ids[0]))


def _numbers(written: Sequence[str]) -> list[tuple[int, int | None]]:
    """The selected things with the units proposed for them, each thing once.  Raises Http404 if one does not exist."""
    numbers: dict[int, int | None] = {}
    for pair in written[:MOST_AT_ONCE]:
        parts = pair.split(":")
        if len(parts) > 2 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
            raise Http404
        numbers[int(parts[0])] = int(parts[1]) if len(parts) == 2 else None
    if Owned.objects.filter(pk__in=numbers).count() < len(numbers):
        raise Http404
    return list(numbers.items())
