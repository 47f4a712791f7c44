from django.urls import URLPattern, path

from insights.pages.delivery import charts, page, parts, units

urlpatterns: list[URLPattern] = [
    path("", page.delivery_page, name="delivery"),
    path("parts/<slug:name>/", parts.delivery_part, name="delivery_part"),
    path("charts/<slug:name>/", charts.delivery_chart, name="delivery_chart"),
    path("charts/<slug:name>.csv", charts.delivery_chart_csv, name="delivery_chart_csv"),
    path("units/", units.delivery_units, name="delivery_units"),
    path("units/unassigned/", units.delivery_units_unassigned, name="delivery_units_unassigned"),
    path("units.csv", units.delivery_units_csv, name="delivery_units_csv"),
]
