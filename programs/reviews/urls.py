"""Routes of monthly reviews below /programs/reviews/."""

from django.urls import URLPattern, path

from programs.reviews.pages import listing, page

urlpatterns: list[URLPattern] = [
    path("", listing.Reviews.as_view(), name="reviews"),
    path("prepare/", listing.review_prepare, name="review_prepare"),
    path("<int:pk>/", page.review, name="review"),
    path("<int:pk>/agenda/", page.review_agenda, name="review_agenda"),
    path("<int:pk>/attendance/", page.review_attendance, name="review_attendance"),
    path("<int:pk>/points/", page.review_points, name="review_points"),
    path("<int:pk>/points/<int:point>/", page.review_point, name="review_point"),
    path("<int:pk>/points/<int:point>/ticket/", page.review_ticket, name="review_ticket"),
    path("<int:pk>/sign/", page.SignReview.as_view(), name="review_sign"),
    path("<int:pk>/summary/", page.review_summary, name="review_summary"),
]
