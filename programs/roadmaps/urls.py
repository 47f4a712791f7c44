"""Below /programs/roadmap/."""

from django.urls import path

from programs.roadmaps.pages import intents, moving, personas, roadmap

urlpatterns = [
    path("", roadmap.roadmap, name="roadmap"),
    path("roadmap.csv", roadmap.roadmap_csv, name="roadmap_csv"),
    path("move/", moving.roadmap_move, name="roadmap_move"),
    path("example/", intents.roadmap_example, name="roadmap_example"),
    path("objectives/<int:pk>/", roadmap.roadmap_objective, name="roadmap_objective"),
    path("intents/new/", intents.roadmap_intent_new, name="roadmap_intent_new"),
    path("intents/<int:pk>/", intents.roadmap_intent, name="roadmap_intent"),
    path("intents/<int:pk>/remove/", intents.roadmap_intent_remove, name="roadmap_intent_remove"),
    path("personas/", personas.persona_roadmap, name="persona_roadmap"),
    path("personas/restore/", personas.personas_restore, name="personas_restore"),
]
