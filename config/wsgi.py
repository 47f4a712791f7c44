import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

# Pages are loaded here, before the first request waits for them.
import config.urls  # noqa: E402, F401
from config.database_watch import start_database_watch  # noqa: E402
from config.request import Handler  # noqa: E402

application = Handler()
start_database_watch()
