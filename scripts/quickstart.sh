#!/usr/bin/env bash
# From nothing to scored question-answer pairs on easy-VQA: set-up, data, features, training, generation, evaluation.
# Run again, it skips what is done; killed anywhere and run again, it continues.
#
#   bash scripts/quickstart.sh            about 8 minutes on 2 cores after the install
#   bash scripts/quickstart.sh --long     the same with a longer training: about 45 minutes
set -euo pipefail

case ${1-} in
    '')     run=runs/quickstart      epochs=8  evaluator_epochs=12 ;;
    --long) run=runs/quickstart-long epochs=50 evaluator_epochs=24 ;;
    *)      sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
source "$(dirname "$0")/environment.sh"
data=$run/data
updates_an_epoch=545  # 34,818 training pairs, 64 an update; the learning rate falls over all updates
mkdir -p "$run"
# Tensors are small here: a core for each of the two models trains faster than both cores for one after the other.
export OMP_NUM_THREADS=1

# train NAME EPOCHS ARGUMENTS...: stock fairseq-train, its log in NAME/train.log, its progress on stderr. What it
# leaves is NAME/final.pt.
train() {
    local folder=$run/$1 epochs=$2 newest
    shift 2
    if [ -e "$folder/final.pt" ]; then return; fi
    mkdir -p "$folder"
    # fairseq copies checkpoint_last.pt in place, so a kill can leave it torn; an epoch's own file is whole.
    newest=$(newest_checkpoint "$folder")
    fairseq-train "$data" --user-dir vqapg --save-dir "$folder" ${newest:+--restore-file "$newest"} \
        --no-last-checkpoints --keep-last-epochs 2 --seed 1 --num-workers 0 --log-format tqdm --cpu \
        --hidden-size 128 --embed-dim 128 --batch-size 64 --clip-norm 5 --optimizer adam \
        --lr-scheduler cosine --warmup-updates 300 --max-update $((epochs * updates_an_epoch)) \
        --max-epoch "$epochs" "$@" >> "$folder/train.log"
    cp "$(newest_checkpoint "$folder")" "$folder/final.pt.partial"
    mv "$folder/final.pt.partial" "$folder/final.pt"
}

newest_checkpoint() {
    find "$1" -name 'checkpoint[0-9]*.pt' | sort -V | tail -n 1
}

echo "1/5 Preparing easy-VQA"
vqapg prepare --dataset easy-vqa --dest "$data"

echo "2/5 Extracting features: 5,000 images"
vqapg extract-features "$data" --backbone efficientnet_lite0 --image-size 96

echo "3/5 Training the joint variational model, $epochs epochs; beside it the consistency evaluator, $evaluator_epochs"
mkdir -p "$run/evaluator"
train evaluator "$evaluator_epochs" --task vqapg_consistency --arch vqapg_consistency --criterion vqapg_consistency \
    --negatives hard --lr 1e-3 2> "$run/evaluator/progress.log" &
evaluator=$!
trap 'kill $evaluator 2>/dev/null || true' EXIT
train joint "$epochs" --task vqapg --arch vqapg_joint_variational --criterion vqapg_elbo \
    --latent-dim 128 --kl-free-bits 3 --lr 2e-3
if [ ! -e "$run/evaluator/final.pt" ]; then echo "  waiting for the evaluator: $run/evaluator/progress.log"; fi
wait $evaluator || { tail -n 20 "$run/evaluator/progress.log" >&2; exit 1; }
trap - EXIT

echo "4/5 Generating a pair for each of the 9,673 test pairs"
if [ ! -e "$run/generated/finished" ]; then
    fairseq-generate "$data" --user-dir vqapg --task vqapg --path "$run/joint/final.pt" --gen-subset test \
        --beam 10 --batch-size 256 --seed 1 --cpu --results-path "$run/generated"
    touch "$run/generated/finished"
fi

echo "5/5 Evaluating"
vqapg export "$run/generated/generate-test.txt" --data "$data" --format jsonl \
    --evaluator "$run/evaluator/final.pt" --output "$run/pairs.jsonl"
vqapg evaluate "$data" --pairs "$run/generated/generate-test.txt" --evaluator "$run/evaluator/final.pt" \
    --output "$run/metrics.json" --show 12
echo "The pairs: $run/pairs.jsonl    The figures: $run/metrics.json"
