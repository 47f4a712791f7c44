"""Routes of people and units under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from orgtree.people.api import PeopleView, PersonView
from orgtree.trees.api import UnitsView, UnitView

urlpatterns: list[URLPattern | URLResolver] = [
    path("people/", PeopleView.as_view(), name="api_people"),
    path("people/<str:key>/", PersonView.as_view(), name="api_person"),
    path("units/", UnitsView.as_view(), name="api_units"),
    path("units/<str:slug>/", UnitView.as_view(), name="api_unit"),
]
