"""Digests of tests' names, by which reports of one commit are compared: eight letters for each test, in order."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import blake2b

LENGTH = 8


def digest_of(name: str) -> str:
    return urlsafe_b64encode(blake2b(name.encode(errors="replace"), digest_size=6).digest()).decode()


def joined(names: Iterable[str]) -> str:
    return "".join(sorted({digest_of(name) for name in names}))


def digests_in(text: str) -> set[str]:
    return {text[start : start + LENGTH] for start in range(0, len(text), LENGTH)}
