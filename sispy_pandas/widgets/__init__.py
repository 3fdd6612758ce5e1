"""Notebook widgets: browse schemas, edit frames, review plans."""
