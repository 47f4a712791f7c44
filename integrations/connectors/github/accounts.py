"""Accounts and events at GitHub, as REST and GraphQL write them."""

from __future__ import annotations

import re
from datetime import datetime

from integrations.connectors.drafts import Who
from integrations.connectors.reader import Reader

GHOST = "ghost"  # represents all deleted accounts
_BOT_ENDING = "[bot]"  # REST writes it, GraphQL leaves it out
_NEXT_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def account(user: Reader | None) -> Who | None:
    """The account; None if it was deleted."""
    if user is None:
        return None
    login = user.text("login", default="")
    if not login or login == GHOST:
        return None
    bot = user.text("type", default=user.text("__typename", default="")) == "Bot"
    if bot and user.has("__typename") and not login.endswith(_BOT_ENDING):
        login += _BOT_ENDING
    return Who(login=login, account=_number(user), bot=bot)


def author_of_commit(signed: Reader | None, user: Reader | None) -> Who | None:
    """The author or committer of a commit, with the account of the address.

    GraphQL gives no account for bots that commit: they are known only by their address in both forms.
    """
    if signed is None:
        return None
    name, email = signed.text("name", default=""), signed.text("email", default="")
    if not (name or email):
        return None
    known = account(user)
    if known is None or known.bot:
        return Who(name=name, email=email, bot=name.endswith(_BOT_ENDING))
    return Who(login=known.login, account=known.account, name=name, email=email)


def _number(user: Reader) -> str:
    """A person's number, which survives renaming.  GraphQL does not provide it for other accounts."""
    if user.text("type", default=user.text("__typename", default="")) not in ("User", "Mannequin"):
        return ""
    return next((user.identifier(field, default="") for field in ("id", "databaseId") if user.has(field)), "")


def name_of_event(event: Reader) -> str:
    """The name of a timeline entry in REST's terms: GraphQL's ReadyForReviewEvent is ready_for_review."""
    if not event.has("__typename"):
        return event.text("event", default="")
    return _NEXT_WORD.sub("_", event.text("__typename", default="").removesuffix("Event")).lower()


def time_of_event(event: Reader) -> datetime | None:
    """The event's time; None if it is impossible, and the event is left out."""
    return event.part_time("createdAt" if event.has("__typename") else "created_at", required=True)
