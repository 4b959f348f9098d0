"""The typed client of the service: `calls` says what can be asked, `Client` and `AsyncClient` ask it."""
