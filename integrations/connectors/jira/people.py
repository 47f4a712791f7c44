"""Accounts.  Cloud shows an address only where its person allows that; the account's id stands for them then."""

from __future__ import annotations

from integrations.connectors.drafts import Who
from integrations.connectors.reader import Reader


def person(user: Reader | None) -> Who | None:
    """None for nobody.  Data Center has keys and names in place of account ids."""
    if user is None:
        return None
    account = user.text("accountId", default="") or user.text("key", default="")
    login = "" if user.has("accountId") else user.text("name", default="")
    email = user.text("emailAddress", default="")
    if not (account or login or email):
        return None
    is_app = user.text("accountType", default="") == "app"
    return Who(login=login, email=email, name=user.text("displayName", default=""), account=account, bot=is_app)
