"""What a value is: schemas, their types, columns, records."""
