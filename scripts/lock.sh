#!/bin/sh
# Writes requirements/*.txt anew from pyproject.toml, with the newest versions that it allows: scripts/lock.sh [uv options]
# Needs uv. The files name versions and hashes, never an address.
set -eu
cd "$(dirname "$0")/.."

lock() {
    file=requirements/$1.txt
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
        --custom-compile-command scripts/lock.sh --output-file "$file" "$@"
    if grep -n '://' "$file"; then
        echo "$file names an address" >&2
        exit 1
    fi
}

lock product pyproject.toml --group pyproject.toml:build "$@"
lock development pyproject.toml --group pyproject.toml:build --group pyproject.toml:development \
    --constraint requirements/product.txt "$@"
lock documents --group pyproject.toml:documents --constraint requirements/development.txt "$@"
