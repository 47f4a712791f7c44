"""Investment categories in Django admin; their rules and targets have pages of their own."""

from __future__ import annotations

from django.contrib import admin

from integrations.models import InvestmentCategory


@admin.register(InvestmentCategory)
class InvestmentCategoryAdmin(admin.ModelAdmin[InvestmentCategory]):
    """Admin of categories.  Deleting one deletes its rules and targets; its time goes to the next rule that matches."""

    list_display = ("name", "kind", "position")
    list_editable = ("position",)
    search_fields = ("name",)
