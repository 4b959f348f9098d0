"""Typed settings, read from a TOML file and the environment; all mistakes at once."""
