"""Background processing of deliveries: nudged when one arrives, and swept regularly."""

from __future__ import annotations

from celery import shared_task

from integrations.webhooks.process import forget_old_deliveries, process_waiting
from integrations.webhooks.register import register_waiting

process_deliveries = shared_task(process_waiting, name="integrations.webhooks.tasks.process_deliveries")
register_hooks = shared_task(register_waiting, name="integrations.webhooks.tasks.register_hooks")
forget_deliveries = shared_task(forget_old_deliveries, name="integrations.webhooks.tasks.forget_deliveries")
