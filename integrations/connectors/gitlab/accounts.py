"""Accounts at GitLab, as its REST API writes them."""

from __future__ import annotations

import re

from integrations.connectors.drafts import Who
from integrations.connectors.reader import Reader

GHOST = "ghost"  # takes over what deleted accounts have written
# Lists of records do not say which accounts are bots; GitLab names those of tokens and service accounts itself.
_BOT = re.compile(r"(project|group)_\d+_bot\w*|service_account_\w+|(support|alert|automation|duo)-bot.*", re.IGNORECASE)


def account(user: Reader | None) -> Who | None:
    """The account; None if it was deleted."""
    if user is None:
        return None
    login = user.text("username", default="")
    if not login or login.lower() == GHOST:
        return None
    bot = user.boolean("bot", default=_BOT.fullmatch(login) is not None)
    return Who(login=login, account=user.identifier("id", default=""), bot=bot)
