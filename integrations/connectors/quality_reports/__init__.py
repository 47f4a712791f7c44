"""Reads reports of tests, coverage and code scanning: JUnit XML, Cobertura XML and SARIF 2.1.0."""
