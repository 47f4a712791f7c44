"""Who owns repositories, services, projects and boards: what there is to own, who is proposed, and who was given it."""
