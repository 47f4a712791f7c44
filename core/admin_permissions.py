"""Base classes, before ModelAdmin, that forbid operations in Django admin whatever permissions an account has."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


class NoAdding:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NoDeleting:
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(NoAdding, NoDeleting):
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
