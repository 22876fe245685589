"""CloudEvents over HTTP: from a request to events of the catalogue."""
