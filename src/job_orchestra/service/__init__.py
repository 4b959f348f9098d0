"""The HTTP API.

`routes` is the one table of it; `dispatch` is the one place where a request is authenticated, authorised and checked,
and an error becomes a problem document; `handlers` has one module for each resource.
"""
