"""Jira: Cloud, and Data Center until its end in March 2029."""
