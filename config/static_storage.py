"""Static files under names that carry a hash, our own JavaScript modules' imports included."""

from __future__ import annotations

from django.contrib.staticfiles.storage import ManifestFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Without this a module would import its neighbours under names that browsers keep after an upgrade.

    Django's own switch (`support_js_module_import_aggregation`) rewrites every JavaScript file, and fails on bundles
    of others that only look as if they imported something.
    """

    patterns = (
        *ManifestFilesMixin.patterns,
        ("js/*.js", ManifestFilesMixin._js_module_import_aggregation_patterns[1]),  # type: ignore[attr-defined]
    )
