"""Tables as files: CSV text, workbooks, Parquet, and what programs do to them."""
