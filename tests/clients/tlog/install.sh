#!/bin/sh
# Installs the verifier into .venv, as requirements.txt pins it. It needs a Python of its time.
set -eu
python=
for candidate in python3.13 python3.12 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[23]*/bin/python3 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
        python=$candidate
    fi
done
[ -n "$python" ] || { echo "there is no Python 3.12 or later here" >&2; exit 1; }
"$python" -m venv --clear .venv
.venv/bin/pip install --quiet --retries 1 --only-binary=:all: --require-hashes --requirement requirements.txt
