# Sourced by the other scripts: makes .venv in the repository's root, once, and puts it first on PATH.
# PYTHON=python3.12 picks another interpreter than python3.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stamp=.venv/made-for
wanted="$(cksum < setup.py) $(cksum < pyproject.toml)"
# An environment that is there is used as it is; naming another interpreter makes it anew.
if [ "$(head -n 1 "$stamp" 2>/dev/null)" != "$wanted" ] \
    || { [ -n "${PYTHON-}" ] && [ "$(tail -n 1 "$stamp")" != "$PYTHON" ]; }; then
    PYTHON=${PYTHON:-python3}
    if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'; then
        echo "error: $PYTHON is no Python 3.11 or 3.12; name one: PYTHON=python3.11 bash $0" >&2
        exit 2
    fi
    echo "Installing into .venv (PyTorch and what it needs are several GB; once)"
    "$PYTHON" -m venv --clear .venv
    .venv/bin/python -m pip install --disable-pip-version-check --editable '.[quickstart,test]'
    printf '%s\n%s\n' "$wanted" "$PYTHON" > "$stamp"
fi
export PATH="$PWD/.venv/bin:$PATH"
# Deprecations inside fairseq's and hydra's own code, at every start of a command.
export PYTHONWARNINGS=ignore
