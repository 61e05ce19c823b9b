#!/usr/bin/env bash
# All tests, with all set-up. Arguments go to pytest: bash scripts/test.sh tests/modules -k attention
set -euo pipefail
source "$(dirname "$0")/environment.sh"

# The tests' tensors are tiny: more threads only wait for each other.
export OMP_NUM_THREADS=1
exec python -m pytest "$@"
