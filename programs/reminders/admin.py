"""Admin of the outbox: sent and failed e-mail with reasons.  Read-only, except for retries."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from core.admin_permissions import NoAdding, ReadOnly
from programs.models import Delivery, OutgoingEmail
from programs.reminders.services.outbox import send_again


class IncludedDeliveries(NoAdding, admin.TabularInline[Delivery, OutgoingEmail]):
    """The notices of an e-mail: kind and subject."""

    model = Delivery
    verbose_name, verbose_name_plural = "notice", "notices in it"
    fields = readonly_fields = ("kind", "about", "left_out")
    extra = 0
    can_delete = False

    @admin.display(description="what")
    def kind(self, delivery: Delivery) -> str:
        return delivery.notice.get_kind_display()

    @admin.display(description="about")
    def about(self, delivery: Delivery) -> str:
        notice = delivery.notice
        return str(notice.ticket or notice.finding or notice.objective or notice.unit or notice.meeting)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return (
            super()
            .get_queryset(request)
            .select_related(*("notice__ticket", "notice__objective", "notice__unit", "notice__meeting__series__unit"))
        )


@admin.register(OutgoingEmail)
class OutgoingEmailAdmin(ReadOnly, admin.ModelAdmin[OutgoingEmail]):
    """An e-mail is one message with everything that was due for an account.  The text of comments is not shown."""

    list_display = ("made_at", "account", "state", "reason", "notices", "attempts", "next_try_at", "channel")
    list_filter = ("state", "channel")
    list_select_related = ("account",)
    search_fields = ("account__username", "account__email", "reason", "public_id")
    date_hierarchy = "made_at"
    actions = ("try_again",)
    inlines = (IncludedDeliveries,)
    fields = readonly_fields = (
        *("account", "channel", "state", "reason", "public_id"),
        *("made_at", "attempts", "next_try_at", "sent_at", "held_by", "held_until"),
    )

    @admin.display(description="notices", ordering="enclosed")
    def notices(self, email: OutgoingEmail) -> int:
        return int(getattr(email, "enclosed", 0))

    @admin.action(description="Retry e-mails that failed or may not have arrived")
    def try_again(self, request: HttpRequest, emails: QuerySet[OutgoingEmail]) -> None:
        count = send_again(emails)
        messages.success(request, f"{count} e-mails will be sent again within a minute, each as the same message.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutgoingEmail]:
        return super().get_queryset(request).annotate(enclosed=Count("deliveries"))
