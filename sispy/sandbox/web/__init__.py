"""SIS over HTTP: from bytes to a request, by its route to an answer, and back; faults on purpose."""
