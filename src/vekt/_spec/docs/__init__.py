"""Docstrings, made of the rows."""
