"""Commits replayed and searched; the workings of `history`, `revert` and `schema_plan`."""
