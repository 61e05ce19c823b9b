#!/usr/bin/env bash
# From nothing to scored question-answer pairs on easy-VQA: set-up, data, features, training of the
# joint variational model, generation and evaluation, at preset recommended.
# Run again, it skips what is done; killed anywhere and run again, it continues.
#
#   bash scripts/quickstart.sh            10 minutes on 2 cores, after the install
set -euo pipefail
usage() { sed -n '2,6s/^# \{0,1\}//p' "$0"; }
[ "${1-}" != --help ] || { usage; exit; }
[ $# = 0 ] || { usage >&2; exit 2; }
cd "$(dirname "$0")/.."
source scripts/environment.sh

run=runs/quickstart
vqapg reproduce easy-vqa --preset recommended --only quickstart --seeds 1 --dest "$run"
vqapg export "$run/joint_variational/seed-1/generate-test.txt" --data "$run/data" --format jsonl \
    --evaluator "$run/evaluator/final.pt" --output "$run/pairs.jsonl" --overwrite
vqapg evaluate "$run/data" --pairs "$run/joint_variational/seed-1/generate-test.txt" \
    --evaluator "$run/evaluator/final.pt" --output "$run/metrics.json" --overwrite --show 12
echo "The pairs: $run/pairs.jsonl    The figures: $run/metrics.json"
