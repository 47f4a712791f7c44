"""The pages of allauth that an installation offers: sign in, sign out, change the password.

Accounts are made by admins, and mail may not be set up, so sign-up, address changes and password reset by mail have
no address here.
"""

from allauth.account import views
from django.urls import path

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/set/", views.password_set, name="account_set_password"),
]
