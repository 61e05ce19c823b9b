#!/usr/bin/env bash
# From nothing to scored question-answer pairs on easy-VQA: set-up, data, features, training, generation, evaluation.
# Run again, it skips what is done; killed anywhere and run again, it continues.
#
#   bash scripts/quickstart.sh            about 8 minutes on 2 cores after the install
#   bash scripts/quickstart.sh --long     bigger features, a longer training: about 50 minutes
set -euo pipefail

case ${1-} in
    '')     run=runs/quickstart      image_size=96  epochs=10 evaluator_epochs=8 ;;
    --long) run=runs/quickstart-long image_size=160 epochs=60 evaluator_epochs=20 ;;
    *)      sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
source "$(dirname "$0")/environment.sh"
data=$run/data
mkdir -p "$run"

# train NAME EPOCHS ARGUMENTS...: stock fairseq-train, with its log in NAME/train.log and its bar on the terminal.
train() {
    local folder=$run/$1 epochs=$2
    shift 2
    [ -e "$folder/finished" ] && { echo "  done before"; return; }
    mkdir -p "$folder"
    # fairseq copies checkpoint_last.pt in place, so a kill can leave it torn; the epochs' own files are whole.
    local newest
    newest=$(ls -v "$folder"/checkpoint[0-9]*.pt 2>/dev/null | tail -n 1)
    fairseq-train "$data" --user-dir vqapg --save-dir "$folder" ${newest:+--restore-file "$newest"} \
        --no-last-checkpoints --keep-last-epochs 2 --seed 1 --num-workers 0 --log-format tqdm \
        --hidden-size 128 --embed-dim 128 --batch-size 64 --max-epoch "$epochs" --clip-norm 5 \
        --optimizer adam --lr-scheduler cosine --warmup-updates 300 --max-update $((epochs * 545)) \
        "$@" >> "$folder/train.log"
    cp "$(ls -v "$folder"/checkpoint[0-9]*.pt | tail -n 1)" "$folder/final.pt.partial"
    mv "$folder/final.pt.partial" "$folder/final.pt"
    touch "$folder/finished"
}

echo "1/6 Preparing easy-VQA"
vqapg prepare --dataset easy-vqa --dest "$data"

echo "2/6 Extracting features: 5,000 images at $image_size px"
vqapg extract-features "$data" --backbone efficientnet_lite0 --image-size "$image_size"

echo "3/6 Training the consistency evaluator: $evaluator_epochs epochs"
train evaluator "$evaluator_epochs" --task vqapg_consistency --arch vqapg_consistency \
    --criterion vqapg_consistency --negatives hard --lr 1e-3

echo "4/6 Training the joint variational model: $epochs epochs"
train joint "$epochs" --task vqapg --arch vqapg_joint_variational --criterion vqapg_elbo \
    --latent-dim 128 --kl-free-bits 10 --lr 2e-3

echo "5/6 Generating a pair for each of the 9,673 test pairs"
if [ ! -e "$run/generated/finished" ]; then
    fairseq-generate "$data" --user-dir vqapg --task vqapg --path "$run/joint/final.pt" --gen-subset test \
        --beam 10 --batch-size 256 --seed 1 --results-path "$run/generated"
    touch "$run/generated/finished"
fi

echo "6/6 Evaluating"
vqapg export "$run/generated/generate-test.txt" --data "$data" --format jsonl \
    --evaluator "$run/evaluator/final.pt" --output "$run/pairs.jsonl"
vqapg evaluate "$data" --pairs "$run/generated/generate-test.txt" --evaluator "$run/evaluator/final.pt" \
    --output "$run/metrics.json" --show 12
echo "The pairs: $run/pairs.jsonl    The figures: $run/metrics.json"
