"""Accounts.  Cloud shows an address only where its person allows that, and changelogs hold ids alone.

So the account's id is a person's login at Cloud: an address beside it, anywhere, says whose it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.connectors.drafts import Who
from integrations.connectors.reader import Reader


def person(user: Reader | None) -> Who | None:
    """None for nobody.  Data Center has names as logins, and keys in changelogs."""
    if user is None:
        return None
    account = user.text("accountId", default="") or user.text("key", default="")
    login = user.text("accountId", default="") or user.text("name", default="") or account
    email = user.text("emailAddress", default="")
    if not (login or email):
        return None
    is_app = user.text("accountType", default="") == "app"
    return Who(login=login, email=email, name=user.text("displayName", default=""), account=account, bot=is_app)


def person_of_change(account: str, name: str, known: Mapping[str, Who]) -> Who | None:
    """Whom a changelog names by account and displayed name; `known` are the people of the issue by account."""
    return known.get(account) or Who(login=account, account=account, name=name) if account else None
