"""Below /programs/objectives/."""

from django.urls import path

from programs.objectives.pages import charts, forms_page, listing, page

urlpatterns = [
    path("", listing.Objectives.as_view(), name="objectives"),
    path("objectives.csv", listing.Objectives.as_file(), name="objectives_csv"),
    path("new/", forms_page.ObjectivePage.as_view(), name="objective_new"),
    path("baseline/", forms_page.objective_baseline, name="objective_baseline"),
    path("parents/", forms_page.objective_parents, name="objective_parents"),
    path("<int:pk>/", page.objective, name="objective"),
    path("<int:pk>/edit/", forms_page.ObjectivePage.as_view(), name="objective_edit"),
    path("<int:pk>/history/", page.objective_history, name="objective_history"),
    path("<int:pk>/check-in/", page.objective_check_in, name="objective_check_in"),
    path("<int:pk>/publish/", page.objective_publish, name="objective_publish"),
    path("<int:pk>/standing/", page.objective_override, name="objective_override"),
    path("<int:pk>/ending/", page.objective_decide, name="objective_decide"),
    path("<int:pk>/drop/", page.objective_drop, name="objective_drop"),
    path("<int:pk>/key-results/<int:key_result>/chart/", charts.key_result_chart, name="key_result_chart"),
    path("<int:pk>/key-results/<int:key_result>/chart.csv", charts.key_result_chart_csv, name="key_result_chart_csv"),
]
