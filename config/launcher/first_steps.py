"""What has to be true before the children start: schema, static files, schedule, first sign-in and token.

Run as `python -m config.launcher.first_steps` by the supervisor.  Writes one JSON document to stdout, and where
something stands in the way, a sentence to stderr and exit code 1.
"""

from __future__ import annotations

import json
import os
import sys

import django

from config.environment import ConfigurationError
from config.launcher.ownership import LaunchError


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()

        from config.launcher.credentials import ingest_token, sign_ins
        from config.launcher.schema import bring_up_to_date, wait_for_database
        from config.launcher.static_files import collect_changed
        from config.schedule import seed_schedule

        wait_for_database()
        bring_up_to_date()
        collect_changed()
        seed_schedule()
        json.dump({"sign_ins": sign_ins(), "ingest_token": ingest_token()}, sys.stdout)
    except (ConfigurationError, LaunchError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
