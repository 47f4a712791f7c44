from django.urls import URLPattern, path

from insights.pages.delivery.page import DELIVERY, delivery_page
from insights.pages.routes import page_urls

urlpatterns: list[URLPattern] = [
    path("", delivery_page, name="delivery"),
    *page_urls(DELIVERY.page.name, lambda _request: DELIVERY.routes),
    path("<slug:tab>/", delivery_page, name="delivery_tab"),
]
