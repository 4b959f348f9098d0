"""The catalogue: one module for each resource, one function for each route, each answering a `Call`."""
