"""Below /programs/: benchmarks, and what a unit concentrates on."""

from django.urls import path

from programs.benchmarks.pages import focus_page, forms_page, listing, page

urlpatterns = [
    path("benchmarks/", listing.benchmarks, name="benchmarks"),
    path("benchmarks/benchmarks.csv", listing.benchmarks_csv, name="benchmarks_csv"),
    path("benchmarks/<str:key>/", page.benchmark, name="benchmark"),
    path("benchmarks/<str:key>/edit/", forms_page.benchmark_edit, name="benchmark_edit"),
    path("benchmarks/<str:key>/suggestions/", forms_page.benchmark_suggestions, name="benchmark_suggestions"),
    path("benchmarks/<str:key>/take-back/", page.benchmark_take_back, name="benchmark_take_back"),
    path("focus/", focus_page.focus, name="focus"),
    path("focus/edit/", focus_page.focus_edit, name="focus_edit"),
    path("focus/begin/", focus_page.focus_begin, name="focus_begin"),
]
