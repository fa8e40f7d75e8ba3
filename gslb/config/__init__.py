"""YAML files to typed configuration: every error at once, each with file and line."""
