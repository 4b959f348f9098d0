from __future__ import annotations

import sys

from scripts.reference.pages import PAGES


def main(arguments: list[str]) -> int:
    """Writes the pages, or, with --check, tells which ones are not up to date."""
    is_checking = arguments == ["--check"]
    outdated = [page for page in PAGES if not page.is_current()]
    for page in outdated:
        print(f"{page.path} {'is not up to date' if is_checking else 'written'}")
        if not is_checking:
            page.write()
    return int(is_checking and bool(outdated))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
