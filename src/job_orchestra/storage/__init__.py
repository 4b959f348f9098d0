"""How records are kept: a narrow port, the collections, and adapters that only composition names."""
