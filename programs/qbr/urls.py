"""Below /programs/qbr/: business reviews."""

from django.urls import path

from programs.qbr.pages import forms_page, listing, page

urlpatterns = [
    path("", listing.Qbrs.as_view(), name="qbrs"),
    path("new/", forms_page.qbr_new, name="qbr_new"),
    path("<int:pk>/", page.qbr, name="qbr"),
    path("<int:pk>/arrange/", forms_page.qbr_arrange, name="qbr_arrange"),
    path("<int:pk>/compare/", page.qbr_compare, name="qbr_compare"),
    path("<int:pk>/decisions/new/", forms_page.DecisionPage.as_view(), name="qbr_decision_new"),
    path("<int:pk>/decisions/<int:decision>/", forms_page.DecisionPage.as_view(), name="qbr_decision"),
    path("<int:pk>/discard/", forms_page.qbr_discard, name="qbr_discard"),
    path("<int:pk>/figures.csv", page.qbr_csv, name="qbr_csv"),
    path("<int:pk>/freeze/", forms_page.FreezeQbr.as_view(), name="qbr_freeze"),
    path("<int:pk>/pdf/", page.qbr_pdf, name="qbr_pdf"),
    path("<int:pk>/present/", page.qbr_present, name="qbr_present"),
    path("<int:pk>/reopen/", forms_page.ReopenQbr.as_view(), name="qbr_reopen"),
    path("<int:pk>/sections/<slug:key>/", forms_page.qbr_section, name="qbr_section"),
    path("<int:pk>/sign/", forms_page.SignQbr.as_view(), name="qbr_sign"),
]
