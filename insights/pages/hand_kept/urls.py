from django.urls import path

from insights.pages.hand_kept import import_page, metrics, values

urlpatterns = [
    path("", metrics.hand_kept, name="hand_kept"),
    path("new/", metrics.hand_kept_new, name="hand_kept_new"),
    path("import/", import_page.hand_kept_import, name="hand_kept_import"),
    path("<slug:slug>/", values.hand_kept_values, name="hand_kept_values"),
    path("<slug:slug>/edit/", metrics.hand_kept_edit, name="hand_kept_edit"),
    path("<slug:slug>/history/", values.hand_kept_history, name="hand_kept_history"),
    path("<slug:slug>/values.csv", values.hand_kept_csv, name="hand_kept_csv"),
    path("<slug:slug>/values/<int:pk>/remove/", values.hand_kept_remove, name="hand_kept_remove"),
]
