"""Work on a SIS CMDB as DataFrames: fetch, edit anywhere, see the plan, push it."""
