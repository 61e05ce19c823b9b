#!/usr/bin/env bash
# From nothing to scored question-answer pairs on easy-VQA: set-up, data, features, training, generation, evaluation.
# Run again, it skips what is done; killed anywhere and run again, it continues.
#
#   bash scripts/quickstart.sh            about 6 minutes on 2 cores after the install
#   bash scripts/quickstart.sh --long     the same with a longer training: 15 to 35 minutes
set -euo pipefail

case ${1-} in
    '')     run=runs/quickstart      epochs=8  evaluator_epochs=12 ;;
    --long) run=runs/quickstart-long epochs=20 evaluator_epochs=20 ;;
    *)      sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/.."
source scripts/environment.sh
source scripts/training.sh
begin_run

echo "1/4 Preparing easy-VQA and extracting features: 5,000 images"
prepare_easy_vqa

echo "2/4 Training the joint variational model, $epochs epochs; beside it the consistency evaluator, $evaluator_epochs"
mkdir -p "$run/evaluator"
train "$run/evaluator" "$evaluator_epochs" --task vqapg_consistency --arch vqapg_consistency \
    --criterion vqapg_consistency --lr 1e-3 --seed 1 2> "$run/evaluator/progress.log" &
evaluator=$!
# Without region scaling, which costs consistency here: see the study in README.md.
train "$run/joint" "$epochs" --task vqapg --arch vqapg_joint_variational --criterion vqapg_elbo \
    --latent-dim 128 --no-region-scaling --kl-free-bits 3 --lr 2e-3 --seed 1
if [ ! -e "$run/evaluator/final.pt" ]; then echo "  waiting for the evaluator: $run/evaluator/progress.log"; fi
wait $evaluator || { tail -n 20 "$run/evaluator/progress.log" >&2; exit 1; }

echo "3/4 Generating a pair for each of the 9,673 test pairs"
generate "$run/joint" 1

echo "4/4 Evaluating"
generated=$run/joint/generate-test.txt
vqapg export "$generated" --data "$data" --format jsonl \
    --evaluator "$run/evaluator/final.pt" --output "$run/pairs.jsonl" --overwrite
vqapg evaluate "$data" --pairs "$generated" --evaluator "$run/evaluator/final.pt" \
    --output "$run/metrics.json" --overwrite --show 12
echo "The pairs: $run/pairs.jsonl    The figures: $run/metrics.json"
