"""What was, and how to have it back: history, undo, revert, dangling references, schema changes."""
