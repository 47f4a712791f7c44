"""Account URLs: the allauth pages in use, “My account”, and invitations.

Accounts are created by invitation or by admins, and mail may not be configured, so sign-up, address changes and
password reset by mail have no URL.
"""

from allauth.account import views
from django.urls import path

from orgtree.access.pages import account, invitations

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/set/", views.password_set, name="account_set_password"),
    path("me/", account.account, name="account"),
    path("me/tokens/", account.create_token, name="create_token"),
    path("me/tokens/<int:pk>/revoke/", account.revoke_token, name="revoke_token"),
    path("me/sign-out-everywhere/", account.sign_out_of_everything, name="sign_out_everywhere"),
    path("invitation/<str:token>/", invitations.accept_invitation, name="accept_invitation"),
]
