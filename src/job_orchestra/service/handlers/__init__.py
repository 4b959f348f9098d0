"""What each route does: one module for each resource, one function for each route."""
