"""Making, arranging, publishing and copying dashboards.  The history keeps each version with its author.

Everybody with an account may make dashboards; only the owner and admins may change one.  What its cards show depends on
the rights of the reader, so sharing never shows anybody more figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.utils import timezone

from core.authorship import changes_by
from core.write_errors import FieldError, checked_text
from insights.dashboards.document import (
    MOST_CARDS,
    ORGANISATION,
    WIDTHS,
    InvalidDocumentError,
    Json,
    checked,
    checked_card,
    name_of,
    next_id,
    read_file,
)
from insights.dashboards.sharing import account_of, check_may_change, checked_title, may_change
from insights.models import Dashboard, HomeDashboard
from insights.models.dashboards import LONGEST_PURPOSE
from insights.models.sharing import LONGEST_TITLE
from orgtree.access.access import Access
from orgtree.models import Unit

STEPS_KEPT = 20  # to go back
MOST_DASHBOARDS = 200  # per account


def make_dashboard(access: Access, *, title: object, purpose: object = "", cards: object) -> Dashboard:
    """Make a draft of one's own.  Raises FieldError, MayNotWriteError."""
    owner = account_of(access)
    fields = {**_described(title, purpose), "draft": _within_reach(access, checked(cards))}
    if Dashboard.objects.filter(owner=owner).count() >= MOST_DASHBOARDS:
        raise FieldError("", f"An account has at most {MOST_DASHBOARDS} dashboards: delete one first.")
    with changes_by(owner):
        return Dashboard.objects.create(owner=owner, **fields)


def import_dashboard(access: Access, content: bytes) -> Dashboard:
    """Make a draft from a file.  Raises FieldError, which names the card and the field."""
    given = read_file(content)
    return make_dashboard(access, title=given.get("title"), purpose=given.get("purpose", ""), cards=given.get("cards"))


def copy_dashboard(access: Access, dashboard: Dashboard) -> Dashboard:
    """Make a draft of one's own with the cards that one sees."""
    cards = dashboard.draft if may_change(access, dashboard) else dashboard.published
    title = f"Copy of {dashboard.title}"[:LONGEST_TITLE]
    owner = account_of(access)
    with changes_by(owner):
        return Dashboard.objects.create(owner=owner, title=title, purpose=dashboard.purpose, draft=cards)


def describe(access: Access, dashboard: Dashboard, *, title: object, purpose: object) -> None:
    """Set the title, and the question that the dashboard answers."""
    fields = _described(title, purpose)
    with _changing(access, dashboard) as stored:
        for name, value in fields.items():
            setattr(stored, name, value)


def set_cards(access: Access, dashboard: Dashboard, cards: object) -> None:
    """Replace the cards of the draft."""
    checked_cards = checked(cards)
    with _changing(access, dashboard) as stored:
        _step(stored, _within_reach(access, checked_cards, known=stored.draft))


def add_card(access: Access, dashboard: Dashboard, card: Json) -> str:
    """Add a card below the others; returns its id."""
    added = ""
    with _changing(access, dashboard) as stored:
        added = next_id([other["id"] for other in stored.draft])
        if len(stored.draft) >= MOST_CARDS:
            raise FieldError("", f"A dashboard has at most {MOST_CARDS} cards: remove one first.")
        [made] = _within_reach(access, [checked_card({**card, "id": added})], known=stored.draft)
        _step(stored, [*stored.draft, made])
    return added


def change_card(access: Access, dashboard: Dashboard, identity: str, fields: Json) -> None:
    """Replace the fields of a card, which keeps its position and kind."""

    def changed(cards: list[Json], position: int) -> list[Json]:
        kept: Json = {name: cards[position][name] for name in ("id", "kind", "width") if name in cards[position]}
        [made] = _within_reach(access, [checked_card({**fields, **kept})], known=cards)
        return [*cards[:position], made, *cards[position + 1 :]]

    _arrange(access, dashboard, identity, changed)


def move_card(access: Access, dashboard: Dashboard, identity: str, *, to: int | None = None, by: int = 0) -> None:
    """Move a card to a position (from 0) or by a number of positions, as far as possible."""

    def moved(cards: list[Json], position: int) -> list[Json]:
        others = [*cards[:position], *cards[position + 1 :]]
        at = max(0, min(position + by if to is None else to, len(others)))
        return [*others[:at], cards[position], *others[at:]]

    _arrange(access, dashboard, identity, moved)


def resize_card(access: Access, dashboard: Dashboard, identity: str, *, width: int = 0, by: int = 0) -> None:
    """Set a card to the nearest available width, or make it wider by so many steps."""

    def resized(cards: list[Json], position: int) -> list[Json]:
        now = WIDTHS.index(cards[position]["width"])
        at = min(range(len(WIDTHS)), key=lambda step: abs(WIDTHS[step] - width)) if width else now + by
        card = {**cards[position], "width": WIDTHS[max(0, min(at, len(WIDTHS) - 1))]}
        return [*cards[:position], card, *cards[position + 1 :]]

    _arrange(access, dashboard, identity, resized)


def remove_card(access: Access, dashboard: Dashboard, identity: str) -> None:
    _arrange(access, dashboard, identity, lambda cards, position: [*cards[:position], *cards[position + 1 :]])


def step_back(access: Access, dashboard: Dashboard) -> None:
    """Undo the last change of the cards, if there is one."""
    with _changing(access, dashboard) as stored:
        if stored.past:
            stored.future = [*stored.future, stored.draft]
            stored.draft, stored.past = stored.past[-1], stored.past[:-1]


def step_forward(access: Access, dashboard: Dashboard) -> None:
    """Redo the last undone change, if nothing was changed since."""
    with _changing(access, dashboard) as stored:
        if stored.future:
            stored.past = [*stored.past, stored.draft]
            stored.draft, stored.future = stored.future[-1], stored.future[:-1]


def publish_dashboard(access: Access, dashboard: Dashboard) -> None:
    """Show the draft to its readers.  Raises FieldError if it has no card."""
    with _changing(access, dashboard) as stored:
        if not stored.draft:
            raise FieldError("", "There is nothing to publish: add a card first.")
        if stored.draft != stored.published or not stored.is_published:
            stored.published, stored.version = stored.draft, stored.version + 1
            stored.published_at = timezone.now()


def discard_changes(access: Access, dashboard: Dashboard) -> None:
    """Reset the draft to the published version."""
    with _changing(access, dashboard) as stored:
        if stored.is_published and stored.draft != stored.published:
            _step(stored, stored.published)


def remove_dashboard(access: Access, dashboard: Dashboard) -> None:
    """Delete it; the history keeps its last version."""
    account = account_of(access)
    check_may_change(access, dashboard)
    with changes_by(account):
        Dashboard.objects.filter(pk=dashboard.pk).delete()


def set_as_home(access: Access, dashboard: Dashboard | None) -> None:
    """Show a dashboard that one may see instead of the home page; None: the home page again."""
    account = account_of(access)
    if dashboard is None:
        HomeDashboard.objects.filter(account=account).delete()
    else:
        HomeDashboard.objects.update_or_create(account=account, defaults={"dashboard": dashboard})


def home_dashboard(access: Access) -> Dashboard | None:
    """The dashboard that an account set as its home page, if it may still see it."""
    if not isinstance(access.viewer, User):
        return None
    chosen = HomeDashboard.objects.filter(account=access.viewer).values("dashboard")
    return Dashboard.objects.visible_to(access).filter(pk__in=chosen).first()


def _arrange(
    access: Access, dashboard: Dashboard, identity: str, change: Callable[[list[Json], int], list[Json]]
) -> None:
    """Change the card with that id.  Raises FieldError if it is gone."""
    with _changing(access, dashboard) as stored:
        position = next((at for at, card in enumerate(stored.draft) if card["id"] == identity), None)
        if position is None:
            raise FieldError("", "The card is gone: somebody removed it.")
        _step(stored, change(stored.draft, position))


@contextmanager
def _changing(access: Access, dashboard: Dashboard) -> Iterator[Dashboard]:
    """A transaction with the row locked; saves the row at its end.  Raises MayNotWriteError."""
    account = account_of(access)
    check_may_change(access, dashboard)
    with changes_by(account):
        stored = Dashboard.objects.select_for_update().get(pk=dashboard.pk)
        yield stored
        stored.changed_at = timezone.now()
        stored.save()
    dashboard.refresh_from_db()


def _step(dashboard: Dashboard, cards: Sequence[Json]) -> None:
    """Store the next draft; the one before can be restored."""
    if cards != dashboard.draft:
        dashboard.past = [*dashboard.past, dashboard.draft][-STEPS_KEPT:]
        dashboard.future, dashboard.draft = [], list(cards)


def _within_reach(access: Access, cards: Sequence[Json], known: Sequence[Json] = ()) -> list[Json]:
    """The cards, if the account sees their units or the `known` cards name them already.  Raises
    InvalidDocumentError.
    """
    named = {card["unit"] for card in cards if card.get("unit")} - {ORGANISATION, *(card.get("unit") for card in known)}
    seen = set(Unit.objects.within(access.visibility).filter(slug__in=named).values_list("slug", flat=True))
    problems = [
        (f"cards.{position}.unit", f"Card {position} ({name_of(card)}), unit: there is no unit “{card['unit']}”.")
        for position, card in enumerate(cards, start=1)
        if card.get("unit") in named - seen
    ]
    if problems:
        raise InvalidDocumentError(problems)
    return list(cards)


def _described(title: object, purpose: object) -> dict[str, str]:
    if purpose is not None and not isinstance(purpose, str):
        raise FieldError("purpose", "It must be a text.")
    return {
        "title": checked_title(title),
        "purpose": checked_text("purpose", str(purpose or ""), LONGEST_PURPOSE),
    }
