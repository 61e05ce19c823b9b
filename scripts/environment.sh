# Makes .venv in the repository's root, once, and puts it first on PATH. It is sourced, by hand or by
# the other scripts:
#
#   source scripts/environment.sh
#
# A failure is this command's status. The shell that sources it keeps its folder and its options.
# PYTHON=python3.12 in the environment picks another interpreter than python3.
# zsh has no BASH_SOURCE; there $0 is the file that is sourced.
bash "$(dirname "${BASH_SOURCE[0]:-$0}")/install.sh" \
    && export PATH="$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." > /dev/null && pwd)/.venv/bin:$PATH" \
        PYTHONWARNINGS=ignore  # deprecations inside fairseq's and hydra's own code
