"""SonarQube: Server from 9.9 on, and Cloud."""
