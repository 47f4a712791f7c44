"""Parses e-mail addresses: the login in a code host's no-reply address, the mailbox without a tag."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Longer values are ordinary addresses on a domain called noreply.
LONGEST_LOGIN, LONGEST_HOST = 100, 40

# GitHub:     ID+login@users.noreply.github.com, before 2017 login@users.noreply.github.com
#             https://docs.github.com/en/account-and-profile/reference/email-addresses-reference
# Enterprise: the same two forms at users.noreply.<host>
# GitLab:     ID-login@users.noreply.<host>  https://docs.gitlab.com/user/profile/#use-an-automatically-generated-private-commit-email
# Bitbucket:  login@users.noreply.bitbucket.org, written by tools; Bitbucket itself gives out none
# Gitea:      login@noreply.<host>, the usual setting of NO_REPLY_ADDRESS; Forgejo and Codeberg the same
_NO_REPLY = re.compile(
    r"(?P<local>[^@\s]+)@(?P<users>users\.)?noreply\.(?P<host>[a-z0-9.-]+\.[a-z0-9-]+)", re.IGNORECASE
)
_NUMBERED = re.compile(r"\d+\+(?=.)")
_NUMBERED_BY_GITLAB = re.compile(r"\d+-(?=.)")
_PROVIDERS = {"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket"}


@dataclass(frozen=True, slots=True)
class HostLogin:
    """An account at a code host.  `provider` is github, gitlab or bitbucket, else the host name; lower case."""

    provider: str
    login: str


def host_login(email: str) -> HostLogin | None:
    """The account in a no-reply address; None for other addresses."""
    match = _NO_REPLY.fullmatch(email.strip())
    if not match:
        return None
    host = match["host"].lower()
    provider = _PROVIDERS.get(host, host)
    login = match["local"].lower()
    if match["users"]:
        login = _NUMBERED.sub("", login, count=1)
        # GitHub logins may start with digits and a hyphen; on other hosts GitLab's form is more likely.
        if provider != "github":
            login = _NUMBERED_BY_GITLAB.sub("", login, count=1)
    return HostLogin(provider, login) if len(login) <= LONGEST_LOGIN and len(host) <= LONGEST_HOST else None


def without_tag(email: str) -> str:
    """The address without a plus tag: ada+git@example.com → ada@example.com."""
    local, at, domain = email.rpartition("@")
    mailbox, plus, _ = local.partition("+")
    return f"{mailbox}{at}{domain}" if plus and mailbox else email


def local_part(email: str) -> str:
    """The local part, without a tag."""
    return without_tag(email).rpartition("@")[0]


def domain(email: str) -> str:
    return email.rpartition("@")[2]


def is_below(inner: str, outer: str) -> bool:
    """Whether `inner` equals `outer` or is a subdomain: laptop.example.com of example.com."""
    return inner == outer or inner.endswith(f".{outer}")
