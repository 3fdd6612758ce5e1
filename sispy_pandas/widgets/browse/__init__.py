"""What the browser consists of: panels, each with a page of its own, and the functions that write them."""
