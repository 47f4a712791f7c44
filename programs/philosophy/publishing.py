"""Publishes and acknowledges the measurement philosophy."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.urls import reverse

from core.write_errors import ConflictError, FieldError, MayNotWriteError, checked_text
from orgtree.access.access import Access
from orgtree.access.policy import Philosophy
from programs.models import Acknowledgement, PhilosophyVersion
from programs.models.philosophy import LONGEST_REASON

CONFLICT = "Somebody changed the philosophy in the meantime."
LONGEST_TEXT = 50_000  # characters
VERSIONS_LISTED = 100
_FIRST_TEXT = Path(__file__).resolve().parent.parent / "texts" / "philosophy.md"


@dataclass(frozen=True)
class LineChanged:
    """A line of a comparison: added, removed, or the same in both."""

    kind: str  # added, removed or empty
    text: str


def current_philosophy() -> PhilosophyVersion:
    """The newest version.  Before the first publication, Headway's default text: number 0, not stored."""
    newest = PhilosophyVersion.objects.select_related("written_by").first()
    unwritten: Any = None  # otherwise the field holds its database default, which is not a time
    return newest or PhilosophyVersion(number=0, text=first_text(), written_at=unwritten)


@cache
def first_text() -> str:
    return _FIRST_TEXT.read_text(encoding="utf-8")


def may_publish(access: Access) -> bool:
    """Whether the viewer may publish: executives and admins may."""
    return isinstance(access.viewer, User) and access.visibility.leads_whole


def publish_philosophy(access: Access, text: str, reason: str, *, of_number: int) -> PhilosophyVersion:
    """Adds a version after number `of_number`.  A version has to change the text.

    Raises FieldError, ConflictError, MayNotWriteError.
    """
    account = access.viewer
    if not isinstance(account, User) or not may_publish(access):
        raise MayNotWriteError("Only executives and admins can publish the philosophy.")
    text = checked_text("text", text, LONGEST_TEXT, missing="Write something.")
    reason = checked_text("reason", reason, LONGEST_REASON, missing="Enter what changed, and why.")
    published = current_philosophy()
    if published.number != of_number:
        raise ConflictError(CONFLICT, published)
    if published.number and published.text == text:
        raise FieldError("text", "This text is already published.")
    try:
        with transaction.atomic():
            return PhilosophyVersion.objects.create(number=of_number + 1, text=text, reason=reason, written_by=account)
    except IntegrityError:  # somebody published the same number at the same moment
        raise ConflictError(CONFLICT, current_philosophy()) from None


def acknowledge(account: User, number: int) -> None:
    """Records that the account read that version; only the current one can be acknowledged, and only once."""
    if number == current_philosophy().number:
        Acknowledgement.objects.get_or_create(number=number, account=account)


def has_acknowledged(account: User, number: int) -> bool:
    return Acknowledgement.objects.filter(number=number, account=account).exists()


def acknowledged_by(number: int) -> tuple[int, int]:
    """The number of active accounts that acknowledged that version, and of all active accounts."""
    active = User.objects.filter(is_active=True)
    return Acknowledgement.objects.filter(number=number, account__in=active).count(), active.count()


def philosophy_in_force() -> Philosophy:
    """The published philosophy for the page *Who sees what*."""
    current = current_philosophy()
    readers, accounts = acknowledged_by(current.number)
    published_at = current.written_at if current.number else None
    return Philosophy(current.number, published_at, readers, accounts, reverse("philosophy"))


def philosophy_versions() -> list[PhilosophyVersion]:
    """The published versions with their authors, latest first."""
    return list(PhilosophyVersion.objects.select_related("written_by")[:VERSIONS_LISTED])


def version_numbered(number: int) -> PhilosophyVersion | None:
    return PhilosophyVersion.objects.select_related("written_by").filter(number=number).first()


def lines_changed(version: PhilosophyVersion) -> list[LineChanged]:
    """The changes from the previous version, or from the text that ships with Headway."""
    before = PhilosophyVersion.objects.filter(number=version.number - 1).first()
    return lines_between(before.text if before else first_text(), version.text)


def lines_between(before: str, after: str) -> list[LineChanged]:
    """A line-by-line comparison; longer unchanged stretches are left out."""
    kinds = {"+": "added", "-": "removed", " ": ""}
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))[2:]
    return [LineChanged(kinds.get(line[:1], ""), line[1:]) for line in lines if not line.startswith("@@")]
