"""Routes of people, units and access: pages and API."""

from django.urls import URLPattern, URLResolver, include, path

from orgtree.access.pages import access, invitations
from orgtree.identities.pages import identities
from orgtree.people import pages as people
from orgtree.people.api import PeopleView, PersonView
from orgtree.people_import import pages as people_import
from orgtree.trees.api import UnitsView, UnitView
from orgtree.trees.pages import tree, trees

Routes = list[URLPattern | URLResolver]

PAGES: Routes = [
    path("people/", people.People.as_view(), name="people"),
    path("people/<uuid:public_id>/", people.person, name="person"),
    path("import/", people_import.people_import, name="people_import"),
    path("import/<uuid:public_id>/", people_import.people_import_preview, name="people_import_preview"),
    path(
        "import/<uuid:public_id>/preview.csv", people_import.people_import_preview_csv, name="people_import_preview_csv"
    ),
    path("import/<uuid:public_id>/discard/", people_import.people_import_discard, name="people_import_discard"),
    path("", trees.trees, name="trees"),
    path("trees/new/", trees.new_tree, name="new_tree"),
    path("trees/<slug:slug>/", tree.tree, name="tree"),
    path("trees/<slug:slug>/units/", tree.tree_units, name="tree_units"),
    path("trees/<slug:slug>/move/", tree.tree_move, name="tree_move"),
    path("trees/<slug:slug>/levels/", tree.tree_levels, name="tree_levels"),
    path("trees/<slug:slug>/state/", tree.tree_state, name="tree_state"),
]

ACCESS: Routes = [
    path("", access.access, name="access"),
    path("rules/", access.write_policy, name="write_policy"),
    path("history/", access.policy_changes, name="policy_history"),
    path("log/", access.audit, name="audit_log"),
    path("roles/", access.give_grant, name="give_grant"),
    path("roles/<int:pk>/end/", access.end_grant, name="end_grant"),
    path("invitations/", invitations.invitations, name="invitations"),
    path("invitations/<int:pk>/renew/", invitations.renew_invitation, name="renew_invitation"),
    path("invitations/<int:pk>/withdraw/", invitations.withdraw_invitation, name="withdraw_invitation"),
]

IDENTITIES: Routes = [
    path("", identities.waiting, name="identities"),
    path("unmatched/", identities.unmatched, name="identities_unmatched"),
    path("matched/", identities.matched, name="identities_matched"),
    path("bots/", identities.bots, name="identities_bots"),
    path("log/", identities.log, name="identities_log"),
    path("people/<uuid:public_id>/", identities.person, name="identity_person"),
    path("<int:pk>/", identities.identity, name="identity"),
]

API: Routes = [
    path("people/", PeopleView.as_view(), name="api_people"),
    path("people/<str:key>/", PersonView.as_view(), name="api_person"),
    path("units/", UnitsView.as_view(), name="api_units"),
    path("units/<str:slug>/", UnitView.as_view(), name="api_unit"),
]

urlpatterns: Routes = [
    path("orgtree/access/", include(ACCESS)),
    path("orgtree/identities/", include(IDENTITIES)),
    path("orgtree/", include(PAGES)),
    path("api/v1/", include(API)),
]
