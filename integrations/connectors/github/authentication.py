"""Signs requests: with a token, or as a GitHub App, whose key is exchanged for a token valid for an hour.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from integrations.connectors.base import Http, Settings
from integrations.connectors.errors import PermanentError, TransientError
from integrations.connectors.signed_tokens import signed_token
from integrations.connectors.unchecked import text_of

HEADERS = {
    "accept": "application/vnd.github+json",
    "x-github-api-version": "2022-11-28",  # later versions leave out merge_commit_sha
}
_CLOCK_SKEW = 60  # seconds by which our clock may be ahead of GitHub's
_LIFE = 540  # seconds; GitHub accepts ten minutes at most


def signature(settings: Settings, http: Http | None) -> Mapping[str, str]:
    """The headers of every request.  The token of an App is fetched for every sync, and again when it has expired."""
    token = _installation_token(settings, http) if is_app(settings) else settings.secrets.get("token", "")
    if not token:
        raise PermanentError("The connection has no token.", what_to_do="Enter a token, or the id and key of an App.")
    return {**HEADERS, "authorization": f"Bearer {token}"}


def signature_of_app(settings: Settings) -> Mapping[str, str]:
    """The headers of a request signed by the App itself, not its installation: used to request a token."""
    app = settings.values.get("app_id", "").strip()
    issued = int(time.time()) - _CLOCK_SKEW
    claims = {"iss": app, "iat": issued, "exp": issued + _CLOCK_SKEW + _LIFE}
    remedy = "Paste the whole .pem file that GitHub generated, from its BEGIN to its END line."
    token = signed_token(settings.secrets.get("private_key", ""), claims, whose="The App's", remedy=remedy)
    return {**HEADERS, "authorization": f"Bearer {token}"}


def is_app(settings: Settings) -> bool:
    """Whether to sign as an App, which takes precedence over a token that is still stored."""
    return bool(settings.values.get("app_id", "").strip())


def _installation_token(settings: Settings, http: Http | None) -> str:
    installation = settings.values.get("installation_id", "").strip()
    if not installation.isdecimal():
        raise PermanentError(
            "The App's installation id is missing, or no number.",
            what_to_do="Open the App's installation at GitHub: its id ends the address of that page.",
        )
    if http is None:
        raise TransientError("A GitHub App signs with a token that must first be fetched.")
    path = f"app/installations/{installation}/access_tokens"
    answer = http.post(path, json={}, headers=signature_of_app(settings)).json()
    token = text_of(answer, "token")
    if not token:
        raise TransientError("GitHub answered the App's key without a token.")
    return token
