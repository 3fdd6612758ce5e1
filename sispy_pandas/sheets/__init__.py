"""Cells of files: CSV text, workbooks, what programs do to them; the workings of `files` and `excel`."""
