"""Whole databases as files: exports, which any supported database can import."""
