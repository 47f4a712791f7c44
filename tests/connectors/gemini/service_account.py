"""The key of a service account that the simulated Google Cloud knows."""

from __future__ import annotations

import json
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from demo.providers.gemini_server import ACCOUNT, PROJECT
from demo.providers.simulated_server import SimulatedServer


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def service_account(server: SimulatedServer) -> str:
    """Its key as Google Cloud's JSON file has it."""
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem = private_key().private_bytes(kind, form, serialization.NoEncryption()).decode()
    names = {"type": "service_account", "project_id": PROJECT, "client_email": ACCOUNT}
    return json.dumps({**names, "private_key": pem, "token_uri": f"{server.url}/token"})
