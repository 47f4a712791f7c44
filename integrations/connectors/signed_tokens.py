"""Tokens that a connector signs with a private key (JWT, RS256), which providers exchange for one of their own."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from integrations.connectors.errors import PermanentError


def signed_token(pem: str, claims: Mapping[str, Any], *, whose: str, remedy: str) -> str:
    """The signed claims.  Raises PermanentError if the key cannot be read; `whose` begins its message."""
    try:
        key = serialization.load_pem_private_key(pem.strip().encode() + b"\n", password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise PermanentError(f"{whose} private key cannot be read.", what_to_do=remedy)
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return (signed + b"." + _encoded(key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))).decode()


def _encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")
