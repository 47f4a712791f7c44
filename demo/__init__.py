"""The fictitious organisation of `manage.py demo`; runtime images leave this folder out.

plan/        who works there and what happens in its year: plain data, no Django
providers/   its tools: servers that show that data as GitHub would
load/        how it is loaded: by import, receiver and connections, like real data
"""
