"""Routes of monthly reviews below /programs/reviews/."""

from django.urls import URLPattern, path

from programs.reviews.pages import actions, listing, page

urlpatterns: list[URLPattern] = [
    path("", listing.reviews, name="reviews"),
    path("prepare/", listing.review_prepare, name="review_prepare"),
    path("<int:pk>/", page.review, name="review"),
    path("<int:pk>/agenda/", actions.review_agenda, name="review_agenda"),
    path("<int:pk>/attendance/", actions.review_attendance, name="review_attendance"),
    path("<int:pk>/points/", actions.review_points, name="review_points"),
    path("<int:pk>/points/<int:point>/", actions.review_point, name="review_point"),
    path("<int:pk>/points/<int:point>/ticket/", actions.review_ticket, name="review_ticket"),
    path("<int:pk>/sign/", actions.review_sign, name="review_sign"),
    path("<int:pk>/summary/", actions.review_summary, name="review_summary"),
]
