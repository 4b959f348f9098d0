"""One module for each page or family of pages: what it shows (a typed structure) and how that is fetched."""
