"""Django admin of integrations: importing a module registers its pages."""

from integrations.admin import (  # noqa: F401
    agreements,
    hand_kept,
    ingest_tokens,
    linking,
    ownership,
    placing,
    prices,
    seats,
    telemetry_records,
    telemetry_vocabulary,
)
from integrations.admin.connections import connection, history, joins, repositories  # noqa: F401
