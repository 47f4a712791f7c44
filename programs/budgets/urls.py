"""Below /insights/ai/: budgets stand beside the spend that they limit."""

from django.urls import path

from programs.budgets.pages.charge_back import charge_back_csv, charge_back_page
from programs.budgets.pages.form import BudgetPage, budget_remove
from programs.budgets.pages.listing import Budgets

urlpatterns = [
    path("budgets/", Budgets.as_view(), name="budgets"),
    path("budgets/new/", BudgetPage.as_view(), name="budget_new"),
    path("budgets/<int:pk>/", BudgetPage.as_view(), name="budget_edit"),
    path("budgets/<int:pk>/remove/", budget_remove, name="budget_remove"),
    path("charge-back/", charge_back_page, name="charge_back"),
    path("charge-back.csv", charge_back_csv, name="charge_back_csv"),
]
