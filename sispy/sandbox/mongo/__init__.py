"""The database: documents in memory, queries over them, their order, and parts of them."""
