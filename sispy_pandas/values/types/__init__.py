"""What each SIS type is, a file per type."""
