"""What a value is: casts, checks, equality, columns; the workings of `records`."""
