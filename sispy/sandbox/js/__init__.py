"""How JavaScript reads, keeps and writes values: numbers, dates, JSON, patterns, casts of one value."""
