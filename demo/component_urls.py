from django.urls import path

from demo import component_states

urlpatterns = [
    path("", component_states.component_states, name="component_states"),
    path("panel/", component_states.panel_example, name="component_states_panel"),
    path("chart/<slug:name>/", component_states.chart_example, name="component_states_chart"),
]
