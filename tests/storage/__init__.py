"""Records and logs on every storage that there is."""
