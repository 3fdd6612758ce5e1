"""What the names of files end in, by format: known before any format is imported."""

CSV = (".csv",)
TABS = (".tsv", ".txt")
EXCEL = (".xlsx",)
PARQUET = (".parquet",)
NDJSON = (".ndjson", ".jsonl")
JSON = (".json",)

ALL = (*CSV, *TABS, *EXCEL, *PARQUET, *NDJSON, *JSON)
FIRST = tuple(names[0] for names in (CSV, EXCEL, PARQUET, NDJSON, JSON))
"""One for each format."""
