"""Routes of monthly reviews below /programs/reviews/."""

from django.urls import URLPattern, path

from programs.reviews.pages import listing, page

urlpatterns: list[URLPattern] = [
    path("", listing.Reviews.as_view(), name="reviews"),
    path("prepare/", listing.review_prepare, name="review_prepare"),
    path("<int:pk>/", page.review, name="review"),
    path("<int:pk>/agenda/", page.review_agenda, name="review_agenda"),
    path("<int:pk>/save/", page.review_save, name="review_save"),
    path("<int:pk>/sign/", page.SignReview.as_view(), name="review_sign"),
]
