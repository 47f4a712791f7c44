"""Pages under /orgtree/identities/."""

from django.urls import URLPattern, URLResolver, path

from orgtree.identities.pages import identities

urlpatterns: list[URLPattern | URLResolver] = [
    path("", identities.waiting, name="identities"),
    path("unmatched/", identities.unmatched, name="identities_unmatched"),
    path("matched/", identities.matched, name="identities_matched"),
    path("bots/", identities.bots, name="identities_bots"),
    path("log/", identities.log, name="identities_log"),
    path("people/<uuid:public_id>/", identities.person, name="identity_person"),
    path("<int:pk>/", identities.identity, name="identity"),
]
