"""Records as the API answers them: one module for each resource."""
