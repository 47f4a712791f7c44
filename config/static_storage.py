"""Static files with hashed names, also in imports between our JavaScript modules."""

from __future__ import annotations

from django.contrib.staticfiles.storage import ManifestFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Rewrites imports in our modules; otherwise browsers would use cached ones after an upgrade.

    Django's own switch (`support_js_module_import_aggregation`) rewrites every JavaScript file, and fails on
    third-party bundles that only look like they import something.
    """

    patterns = (
        *ManifestFilesMixin.patterns,
        ("js/*.js", ManifestFilesMixin._js_module_import_aggregation_patterns[1]),  # type: ignore[attr-defined]
    )
