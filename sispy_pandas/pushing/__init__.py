"""From changes to outcomes: guards, requests, the journal, the report."""
