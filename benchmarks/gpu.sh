#!/usr/bin/env bash
# Speed on one GPU in one call of ten minutes: see gpu.py. It needs no data and no download.
#
#   bash benchmarks/gpu.sh [--dry-run] [--output FILE] [...]
#
# The python3 on PATH is used where it has PyTorch and fairseq. Otherwise WHEELS names a folder of
# what it lacks, which is installed beside it without network; without WHEELS, scripts/environment.sh
# makes .venv. For a machine without network, made on one that has it (its Python is 3.12):
#   pip download --only-binary=:all: --no-deps --python-version 3.12 -d wheels \
#       ve-fairseq==0.12.3 hydra-core omegaconf h5py sacrebleu ...
#   WHEELS=wheels bash benchmarks/gpu.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONWARNINGS=ignore
if [ -n "${WHEELS-}" ]; then
    site=$(mktemp -d)
    trap 'rm -rf "$site"' EXIT
    python3 -m pip install --quiet --no-index --no-deps --target "$site" "$WHEELS"/*.whl
    export PYTHONPATH="$site${PYTHONPATH:+:$PYTHONPATH}"
elif ! python3 -c 'import torch, fairseq' 2> /dev/null; then
    source "$root/scripts/environment.sh"
fi
# This checkout, whatever is installed
PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" python3 "$root/benchmarks/gpu.py" "$@"
