"""From a query to columns: paging, decoding, other tables' columns; the workings of `fetch`."""
