"""The made-up organisation, as `manage.py demo` plays it; a runtime image leaves this folder out.

plan/        who works there and what happens in its year: plain data, no Django
providers/   its tools: servers that show that data as GitHub would
load/        how it gets in: by the doors that everybody uses
"""
