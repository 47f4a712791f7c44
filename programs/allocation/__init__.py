"""Investment categories of people's time: the rules that assign work to them, and the target shares."""
