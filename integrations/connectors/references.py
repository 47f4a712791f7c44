"""Keys of work items that people write in branches, titles, descriptions and commits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from integrations.connectors.drafts import WorkItemReference
from integrations.connectors.words import LinkMethod

LONGEST_READ = 100_000  # characters of a description that are looked at
MOST_KEYS = 100  # of one pull request and place; a list of everything ever done links nothing
_KEY = re.compile(r"(?<![A-Za-z0-9_-])([A-Z][A-Z0-9_]{1,20}-[1-9][0-9]{0,8})(?![A-Za-z0-9]|-[0-9])")
_NO_TRACKERS = frozenset(
    {"AES", "CVE", "CWE", "DES", "GPL", "GPT", "HTTP", "IEC", "IEEE", "IPV", "ISO", "LGPL", "MD", "PEP", "PKCS", "RFC"}
    | {"RSA", "SHA", "SSL", "TLS", "UCS", "UTC", "UTF", "WCAG"}
)
"""Words that are written like the key of a tracker's project, and name something else: UTF-8, SHA-256, CVE-2026-…"""


def tracker_keys(text: str) -> Iterator[str]:
    """Keys such as SHOP-12, as they stand in the text: in capitals, or they would be found in half of all branches."""
    for found in _KEY.finditer(text[:LONGEST_READ]):
        if found[1].partition("-")[0] not in _NO_TRACKERS:
            yield found[1]


def references(keys: Iterable[str], method: LinkMethod) -> list[WorkItemReference]:
    """Each key once, in order."""
    return [WorkItemReference(key=key, method=method) for key in list(dict.fromkeys(keys))[:MOST_KEYS]]
