#!/bin/sh
# Makes .venv what a purpose needs, and does nothing if it is that already: scripts/environment.sh product|development|documents
# PYTHON names the interpreter; otherwise the first one of version 3.11 or newer is taken.
set -eu
purpose=$1
cd "$(dirname "$0")/.."

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

choose() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.11 python3.12 python3.13 python3.14; do
        if fits "$candidate"; then
            echo "$candidate"
            return
        elif [ -n "${PYTHON:-}" ]; then
            echo "PYTHON=$PYTHON is no Python 3.11 or newer." >&2
            exit 1
        fi
    done
    echo 'Python 3.11 or newer was not found; name one with: make PYTHON=/path/to/python3' >&2
    exit 1
}

# What .venv was made of: a change of any of it makes it anew, as does moving the folder.
made_of() {
    echo "$PWD"
    cat pyproject.toml "requirements/$1.txt" | cksum
}

is_made() {
    [ -f ".venv/made-for-$1" ] && [ "$(cat ".venv/made-for-$1")" = "$(made_of "$1")" ] && fits .venv/bin/python
}

if is_made "$purpose"; then
    exit 0
fi

if [ -d .venv ] && { ! fits .venv/bin/python || ! .venv/bin/python -c 'import os, sys; sys.exit(os.path.realpath(sys.prefix) != os.path.realpath(".venv"))'; }; then
    rm -rf .venv
fi
if [ ! -x .venv/bin/pip ]; then
    python=$(choose)
    echo "Making .venv with $("$python" --version)"
    "$python" -m venv .venv || {
        echo 'The module venv is incomplete; on Debian and Ubuntu: apt-get install python3-venv' >&2
        exit 1
    }
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
echo "Installing what $purpose needs"
.venv/bin/python -m pip install --quiet --require-hashes --requirement "requirements/$purpose.txt"
if [ "$purpose" != documents ]; then
    .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
fi
made_of "$purpose" >".venv/made-for-$purpose"
if [ "$purpose" = development ]; then
    made_of product >.venv/made-for-product
fi
