"""The Model Context Protocol: the API's answers as tools of assistants.  docs/questions.md"""
