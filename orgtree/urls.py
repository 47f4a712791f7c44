"""Pages under /orgtree/."""

from django.urls import URLPattern, URLResolver, include, path

from orgtree.people import pages as people
from orgtree.people_import import pages as people_import
from orgtree.trees.pages import tree, trees

urlpatterns: list[URLPattern | URLResolver] = [
    path("access/", include("orgtree.access.urls")),
    path("identities/", include("orgtree.identities.urls")),
    path("people/", people.people, name="people"),
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
