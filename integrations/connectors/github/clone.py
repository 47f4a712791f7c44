"""Where GitHub's repositories are cloned from: over HTTPS, with the token that reads them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import urlsplit

from integrations.connectors.base import CloneAddress, FetchedResource
from integrations.connectors.errors import PermanentError

_API = "api."  # github.com and Enterprise Cloud: api.github.com, api.acme.ghe.com; an Enterprise Server has one host


def clone_address_of(base_url: str, resource: FetchedResource, signature: Mapping[str, str]) -> CloneAddress:
    """Raises PermanentError where the repository's page is at another host than the API belongs to."""
    page, api = urlsplit(str(resource.details.get("html_url", ""))), urlsplit(base_url)
    if not page.path.strip("/") or (page.scheme, page.netloc) != (api.scheme, api.netloc.removeprefix(_API)):
        raise PermanentError(
            f"GitHub says that {resource.name} is at {page.netloc or 'no address'}, where the token is not sent.",
            what_to_do="Refresh the connection's list of resources. If that lasts, check its base URL.",
        )
    token = signature["authorization"].removeprefix("Bearer ")
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return CloneAddress(f"{page.scheme}://{page.netloc}{page.path.rstrip('/')}.git", f"Basic {basic}")
