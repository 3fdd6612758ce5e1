"""The commands of the `sispy` command line that need the toolkit, a module each.

Help comes at once: what loads pandas is imported in the function that works with it, never above.
"""
