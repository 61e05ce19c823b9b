# Sourced by the other scripts: makes .venv in the repository's root, once, and puts it first on PATH.
# PYTHON=python3.12 picks another interpreter.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'; then
    echo "error: $PYTHON is no Python 3.11 or 3.12; name one: PYTHON=python3.11 bash $0" >&2
    exit 2
fi

installed=.venv/installed-for
wanted=$(cat setup.py pyproject.toml | cksum)
if [ "$(cat "$installed" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing into .venv (PyTorch and what it needs are several GB; once)"
    "$PYTHON" -m venv .venv
    .venv/bin/python -m pip install --quiet --progress-bar on --editable '.[quickstart,test]'
    echo "$wanted" > "$installed"
fi
export PATH="$PWD/.venv/bin:$PATH"
# Deprecations inside fairseq's and hydra's own code, at every start of a command.
export PYTHONWARNINGS=ignore
