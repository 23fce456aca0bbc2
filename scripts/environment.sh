#!/bin/sh
# Makes an environment exactly as uv.lock says: "newest" (Airflow 3.3) in .venv, "lowest" (3.1.0) in .venv-lowest,
# "dbtcloud" (that distribution alone, no Airflow) in .venv-dbtcloud,
# "incumbent" (the provider that this one replaces, without this one) in .venv-incumbent. "client NAME" makes
# .venv-clients/NAME as its list of versions beside the tests says.
# uv is taken from PATH, else installed into .venv-tools. PYTHON=/path/to/python overrides the search on PATH.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "$1" >&2
    exit 1
}

# A name on PATH may be a shim that cannot run, or a build without SQLite: only trying tells.
fits() {
    "$1" -c 'import sqlite3, ssl, sys; raise SystemExit(not (3, 11) <= sys.version_info < (3, 14))' \
        >/dev/null 2>&1
}

# 3.12 first: it is the newest for which the bundled PostgreSQL of the tests has a wheel.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || fail "PYTHON=$PYTHON does not run as Python 3.11, 3.12 or 3.13: name one that does."
        set -- "$PYTHON"
    else
        set -- python3.12 python3.11 python3.13 python3 python
    fi
    for name in "$@"; do
        if fits "$name"; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail "No Python 3.11, 3.12 or 3.13 runs from PATH: install one (Debian: apt-get install python3 python3-venv; macOS: brew install python@3.12) or name it with PYTHON=/path/to/python."
}

find_uv() {
    if uv --version >/dev/null 2>&1; then
        echo uv
        return
    fi
    if ! .venv-tools/bin/uv --version >/dev/null 2>&1; then
        echo "uv is not on PATH: installing it into .venv-tools" >&2
        { "$python" -m venv --clear .venv-tools && .venv-tools/bin/python -m pip install --quiet 'uv>=0.5.29'; } >&2 ||
            fail "uv could not be installed: install it from https://docs.astral.sh/uv/ (or python3-venv and pip) and try again."
    fi
    echo .venv-tools/bin/uv
}

sync() {
    folder=$1
    shift
    [ -d "$folder" ] || echo "Making $folder for $python" >&2
    unset VIRTUAL_ENV
    UV_PROJECT_ENVIRONMENT=$PWD/$folder UV_PYTHON=$python UV_PYTHON_DOWNLOADS=never \
        "$uv" sync --quiet --locked "$@"
}

client() {
    for list in dbtcloud/tests/foreign_clients dbtcloud/tests/recipes tests/contract; do
        [ ! -f "$list/$1.txt" ] || break
    done
    [ -x ".venv-clients/$1/bin/python" ] || "$uv" venv --quiet --clear --python "$python" ".venv-clients/$1"
    "$uv" pip sync --quiet --only-binary :all: --python ".venv-clients/$1/bin/python" "$list/$1.txt"
}

python=$(find_python)
uv=$(find_uv)
case "${1:-}" in
newest) sync .venv --all-extras ;;
lowest) sync .venv-lowest --all-extras --no-default-groups --group test --group airflow-lowest ;;
dbtcloud) sync .venv-dbtcloud --project dbtcloud --extra local --group test ;;
incumbent) sync .venv-incumbent --only-group incumbent ;;
client) client "$2" ;;
*) fail "usage: scripts/environment.sh newest|lowest|dbtcloud|incumbent|client NAME" ;;
esac
