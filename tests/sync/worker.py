"""A worker for the tests that kill it: `python -m tests.sync.worker` takes turns, as the tasks do, until it is killed.

With `--until-done` it ends once every stream was read to its end.
"""

from __future__ import annotations

import os
import sys
import time

SECONDS_BETWEEN_CHECKS = 0.1


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()

    from integrations.models import Stream
    from integrations.sync.slices import run_next_slice
    from tests.sync import connector

    assert connector.Example.slug == "example"  # known by now, because it registered itself
    unread = Stream.objects.filter(succeeded_at=None)
    while "--until-done" not in sys.argv or unread.exists():
        if run_next_slice() is None:
            time.sleep(SECONDS_BETWEEN_CHECKS)


if __name__ == "__main__":
    main()
