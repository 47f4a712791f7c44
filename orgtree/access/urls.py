"""Pages under /orgtree/access/."""

from django.urls import URLPattern, URLResolver, path

from orgtree.access.pages import access, invitations

urlpatterns: list[URLPattern | URLResolver] = [
    path("", access.access, name="access"),
    path("rules/", access.write_policy, name="write_policy"),
    path("history/", access.policy_changes, name="policy_history"),
    path("roles/", access.give_grant, name="give_grant"),
    path("roles/<int:pk>/end/", access.end_grant, name="end_grant"),
    path("invitations/", invitations.invitations, name="invitations"),
    path("invitations/<int:pk>/renew/", invitations.renew_invitation, name="renew_invitation"),
    path("invitations/<int:pk>/withdraw/", invitations.withdraw_invitation, name="withdraw_invitation"),
]
