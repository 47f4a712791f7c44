"""Checking the signatures of webhook deliveries, in constant time on the raw bytes."""

from __future__ import annotations

import hashlib
import hmac


def signed_with_sha256(body: bytes, secret: str, hexadecimal: str) -> bool:
    """Whether `hexadecimal` is the HMAC-SHA256 of the body under the secret; False without a secret."""
    if not secret:
        return False
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), hexadecimal.strip().lower().encode("utf-8", "replace"))
