"""Client of the SIS CMDB's REST API."""
