#!/usr/bin/env bash
# All tests, with all set-up, on all cores. Arguments go to pytest:
#   bash scripts/test.sh tests/modules -k attention
#   bash scripts/test.sh tests/modules -n 0 --pdb      in one process, which a debugger needs
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,4s/^# \{0,1\}//p' "$0"; exit; }
cd "$(dirname "$0")/.."
source scripts/environment.sh

# The annotation page is tested in a real browser. Where there is none, its tests fail and say how to get one.
if [ $# -eq 0 ] && ! command -v chromedriver > /dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
    echo "Installing Chromium and its driver, which the annotation page is tested with"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        chromium chromium-driver > /dev/null; } || true
fi

# The tests' tensors are tiny: more threads only wait for each other.
export OMP_NUM_THREADS=1
# One process a core. A process that runs out of tests takes over some of another's.
exec python -m pytest --numprocesses auto --dist worksteal "$@"
