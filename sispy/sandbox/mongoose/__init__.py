"""Definitions of schemas, compiled, and what they make of documents: casts, checks, merged updates."""
