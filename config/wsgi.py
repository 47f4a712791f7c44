import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# Pages are loaded here, before the first request waits for them.
import config.urls  # noqa: E402, F401
from config.database_watch import watch_the_database  # noqa: E402

watch_the_database()
