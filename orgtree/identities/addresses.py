"""What an e-mail address gives away: the login behind a host's no-reply address, the mailbox behind a tag."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What is longer is some other address, on a domain that happens to be called noreply.
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
    """An account at a code host.  `provider` is github, gitlab or bitbucket, else the host's name; lower case."""

    provider: str
    login: str


def host_login(email: str) -> HostLogin | None:
    """The account behind a host's no-reply address; None for any other address."""
    found = _NO_REPLY.fullmatch(email.strip())
    if not found:
        return None
    host = found["host"].lower()
    provider = _PROVIDERS.get(host, host)
    login = found["local"].lower()
    if found["users"]:
        login = _NUMBERED.sub("", login, count=1)
        # A login at GitHub may itself begin with digits and a hyphen; elsewhere GitLab's form is the likelier.
        if provider != "github":
            login = _NUMBERED_BY_GITLAB.sub("", login, count=1)
    return HostLogin(provider, login) if len(login) <= LONGEST_LOGIN and len(host) <= LONGEST_HOST else None


def without_tag(email: str) -> str:
    """The mailbox of a tagged address, ada+git@example.com → ada@example.com; any other address as it is."""
    local, at, domain = email.rpartition("@")
    mailbox, plus, _ = local.partition("+")
    return f"{mailbox}{at}{domain}" if plus and mailbox else email


def local_part(email: str) -> str:
    """What stands before the @, without a tag."""
    return without_tag(email).rpartition("@")[0]


def domain(email: str) -> str:
    return email.rpartition("@")[2]


def is_below(inner: str, outer: str) -> bool:
    """Whether a domain is the other one or a part of it: laptop.example.com is of example.com."""
    return inner == outer or inner.endswith(f".{outer}")
