"""Headway's collector: records on a developer's machine which lines of a commit an agent wrote, and sends their
counts.
"""

VERSION = "0.3.0"
