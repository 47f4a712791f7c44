"""A worker that empties the outbox until it is stopped, in a process of its own: tests kill it.

python -m tests.programs.email_worker [once]
"""

from __future__ import annotations

import sys
import time

if __name__ == "__main__":
    import django

    django.setup()
    from programs.reminders.services.sending import send_waiting

    while True:
        send_waiting()
        if "once" in sys.argv:
            break
        time.sleep(0.05)
