#!/usr/bin/env bash
# Makes .venv in the repository's root, unless it is there. environment.sh calls this, and enters it.
#
#   bash scripts/install.sh
set -euo pipefail
usage() { sed -n '2,4s/^# \{0,1\}//p' "$0"; }
[ "${1-}" != --help ] || { usage; exit; }
[ $# = 0 ] || { usage >&2; exit 2; }
cd "$(dirname "$0")/.."

stamp=.venv/made-for
wanted="$(cksum < setup.py) $(cksum < pyproject.toml)"
# An environment that is there is used as it is. Naming another interpreter makes it anew.
if [ "$(head -n 1 "$stamp" 2> /dev/null)" = "$wanted" ] \
    && { [ -z "${PYTHON-}" ] || [ "$(tail -n 1 "$stamp")" = "$PYTHON" ]; }; then
    exit
fi
PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'; then
    echo "error: $PYTHON is not Python 3.11 or 3.12; name one that is: export PYTHON=python3.11" >&2
    exit 2
fi
echo "Installing into .venv, once: PyTorch and what it needs are several GB"
"$PYTHON" -m venv --clear .venv
.venv/bin/python -m pip install --disable-pip-version-check --editable '.[dev]'
# Last of all: without the stamp of a whole install, the next start makes the environment anew.
printf '%s\n%s\n' "$wanted" "$PYTHON" > "$stamp"
