"""Django settings.  Every value an operator may change comes from config/environment.py."""

from __future__ import annotations

import os
from datetime import timedelta
from importlib.util import find_spec
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import django_stubs_ext
from csp.constants import NONE, SELF
from whitenoise.compress import Compressor

from config import broker, environment, logs

django_stubs_ext.monkeypatch()  # Django's classes are generic as in their stubs: admin.ModelAdmin[Person]

# numpy's matrices are small here: several threads take three times the processor time over them, and longer.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = environment.PROJECT_DIR
DATA_DIR = environment.data_dir()
BASE_URL = environment.base_url()
SECRET_KEY = environment.secret_key()
SECRET_KEY_FALLBACKS = environment.old_secret_keys()
DEBUG = False

_base_host = urlsplit(BASE_URL).hostname or "localhost"
ALLOWED_HOSTS = sorted({"localhost", "127.0.0.1", "[::1]", environment.host(), _base_host})
CSRF_TRUSTED_ORIGINS = [BASE_URL]
HTTPS = BASE_URL.startswith("https://")
TRUSTED_PROXIES = environment.trusted_proxies()

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "programs.apps.ProgramsConfig",
    "insights.apps.InsightsConfig",
    "integrations.apps.IntegrationsConfig",
    "orgtree.apps.OrgtreeConfig",
    "config.admin_site.HeadwayAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "axes",
    "allauth",
    "allauth.account",
    "django_celery_beat",
    "pgtrigger",
    "pghistory",
    *(app for app in ("demo", "bench") if find_spec(app) is not None),  # a runtime image leaves them out
]

MIDDLEWARE = [
    "config.client_address.ClientAddress",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.unstorable_text.RefuseNul",
    "config.response_headers.PrivateAnswers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context_processors.shell",
            ],
        },
    },
]

# The organisation's calendar: facts are stored in UTC, days and weeks are cut in this zone.
TIME_ZONE = environment.time_zone()
ORGANISATION_TIME_ZONE = ZoneInfo(TIME_ZONE)
USE_TZ = True
FISCAL_YEAR_START_MONTH = environment.fiscal_year_start_month()
RAW_EVENT_DAYS = environment.raw_event_days()
PROVIDERS_MAY_BE_PRIVATE = environment.providers_may_be_private()
# Until then it is open whether a session's lines will be committed: its spend is pending.
SETTLING_TIME = timedelta(hours=72)

DATABASES = {
    "default": {
        **environment.database_parameters(),
        "TIME_ZONE": TIME_ZONE,  # SQL cuts days with the connection's zone
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,  # the server may have been restarted under us
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS = [
    "security.W004",  # the reverse proxy decides whether all subdomains are https for good
    "security.W008",  # the proxy redirects; redirecting here would break a proxy that speaks plain http to us
]

CACHES = {"default": {"BACKEND": "config.memory_cache.MonotonicMemory"}}

USE_I18N = False
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = "config.formats"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_storage.HashedStaticFiles"},
}
# Only a browser's developer tools read source maps, and compressing them took half of a first start's collecting.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "orgtree.access.sign_in.SignInBackend",
    # Loads the accounts of existing sessions; the backend above checks all passwords.
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "orgtree.access.sign_in.ClosedSignUpAdapter"
# axes counts failed sign-ins, in the database and so for all processes.  allauth's own limit of an address is for those
# that are known to be a client's: without a number of proxies it may be the address of one, which everybody shares.
ACCOUNT_RATE_LIMITS = {"login_failed": None, "login": "30/m/ip" if TRUSTED_PROXIES else None}
AXES_USERNAME_CALLABLE = "orgtree.access.sign_in.attempted_name"
AXES_CLIENT_IP_CALLABLE = "config.client_address.counted_address"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "account/locked.html"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = False  # the reverse proxy in front decides
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "insights.api.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "orgtree.access.permissions.TokenScopeAllows",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["insights.api.json_body.StorableJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.errors.explain",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Headway",
    "DESCRIPTION": "Metrics with their series, rows and distributions.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {  # used under several names: segments and facets, statistic and statistics
        "BetterEnum": "insights.api.schema.BETTER",
        "ChangeJudgementEnum": "insights.api.schema.JUDGEMENTS",
        "BottleneckKindEnum": "programs.models.tickets.BottleneckKind",
        "CapitalisationStateEnum": "programs.models.capitalisation.PeriodState",
        "DimensionEnum": "insights.api.schema.DIMENSIONS",
        "DirectionEnum": "programs.models.benchmarks.Direction",
        "MeetingKindEnum": "programs.models.meetings.MeetingKind",
        "ExperimentVerdictEnum": "programs.models.experiments.ExperimentVerdict",
        "JudgementEnum": "programs.overview.api.documents.JUDGEMENTS",
        "FindingStateEnum": "insights.models.findings.FindingState",
        "InitiativeKindEnum": "programs.models.capitalisation.KINDS",
        "KeyEnum": "insights.formulas.dora_score.SCORED",
        "MessageKindEnum": "programs.models.messages.MessageKind",
        "OwnedKindEnum": "integrations.models.ownership.OwnedKind",
        "PeriodEnum": "programs.models.benchmarks.Period",
        "QbrPeriodEnum": "programs.models.qbr.QbrPeriod",
        "QbrSectionEnum": "programs.models.qbr.SectionKey",
        "QbrStateEnum": "programs.models.qbr.QbrState",
        "StandingEnum": "programs.models.objectives.ObjectiveStatus",
        "StatisticEnum": "insights.api.schema.STATISTICS",
        "StepStateEnum": "programs.overview.api.documents.STEP_STATES",
        "TicketStateEnum": "programs.models.tickets.TicketState",
        "VerdictEnum": "insights.models.findings.Verdict",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

_mail = environment.mail_server()
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.encrypted == "ssl", _mail.encrypted == "starttls"
EMAIL_TIMEOUT = 10  # seconds that an admin waits for a mail server at most
DEFAULT_FROM_EMAIL = _mail.sender

LOG_FORMAT = environment.log_format()
LOGGING = logs.configuration()

CELERY_BROKER_URL = environment.broker_url()
CELERY_BROKER_TRANSPORT_OPTIONS = broker.transport_options(CELERY_BROKER_URL, DATA_DIR)
CELERY_TASK_DEFAULT_QUEUE = "headway"  # not Celery's own name: another application may use the same broker
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0}  # a request waits meanwhile
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_IGNORE_RESULT = True  # what a task did is a row; no result backend
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # config/logs.py decides
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # broadcasts would pile up as files; /readyz and doctor look elsewhere
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_MAX_LOOP_INTERVAL = 5  # seconds; edits of the schedule in admin are followed by then
