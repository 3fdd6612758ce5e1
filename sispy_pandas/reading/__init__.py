"""From a query to columns: what is asked, page by page, decoded; and the commits of rows."""
