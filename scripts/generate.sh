#!/usr/bin/env bash
# A pair for each pair of a split, by fairseq-generate with a preset's beam.
#
#   bash scripts/generate.sh runs/joint_variational/checkpoint_best.pt data/easy runs/out
#   bash scripts/generate.sh CKPT DATA OUT --preset published --gen-subset valid --seed 2
#
# The pairs are OUT/generate-SPLIT.txt; --overwrite replaces those that are there. What
# fairseq-generate says is in the .log beside. --preset is paper unless given; the other words are
# flags of fairseq-generate, which override.
set -euo pipefail
usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }
[ "${1-}" != --help ] || { usage; exit; }
fail() { echo "error: $1; see bash scripts/generate.sh --help" >&2; exit 2; }
given=("$@") asked=("CKPT, a checkpoint" "DATA, a data directory" "OUT, a folder to write to")
for i in 0 1 2; do
    if [ $# -le $i ] || [[ ${given[i]} = -* ]]; then fail "which ${asked[i]}?"; fi
done
checkpoint=$1 data=$2 output=$3 preset=paper
shift 3
if [ "${1-}" = --preset ]; then preset=${2-}; shift 2 || fail "--preset: which one?"; fi
[ -e "$data/manifest.json" ] || fail "$data: not a finished data directory (no manifest.json in it)"
IFS=: read -ra checkpoints <<< "$checkpoint"  # several are an ensemble
for file in "${checkpoints[@]}"; do [ -f "$file" ] || fail "$file: there is no such checkpoint"; done
echo "Getting ready to generate pairs of $data with $checkpoint" >&2
if ! command -v vqapg > /dev/null; then source "$(dirname "$0")/environment.sh"; fi

beam=$(vqapg settings joint --preset "$preset" --get generation.beam)
longest=$(vqapg settings joint --preset "$preset" --get generation.max_len_b)
batch=$(vqapg settings joint --preset "$preset" --get dataset.batch_size)
device=
if [ "$(python3 -c 'import torch; print(torch.cuda.device_count())')" = 0 ]; then device=--cpu; fi
exec python -m vqapg.study.watched_generation fairseq-generate "$data" --user-dir "$(vqapg user-dir)" \
    --task vqapg --path "$checkpoint" --beam "$beam" --max-len-b "$longest" --batch-size "$batch" $device \
    --log-format simple --log-interval 1 --results-path "$output" "$@"
