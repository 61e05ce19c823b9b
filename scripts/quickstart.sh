#!/usr/bin/env bash
# From nothing to scored question-answer pairs on easy-VQA: set-up, data, features, training, generation, evaluation.
# Run again, it skips what is done; killed anywhere and run again, it continues.
#
#   bash scripts/quickstart.sh            about 9 minutes on 2 cores after the install
#   bash scripts/quickstart.sh --long     the same with a longer training: 20 to 35 minutes
set -euo pipefail

case ${1-} in
    '')     run=runs/quickstart      epochs=8  evaluator_epochs=12 ;;
    --long) run=runs/quickstart-long epochs=20 evaluator_epochs=20 ;;
    *)      sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
source "$(dirname "$0")/environment.sh"
data=$run/data
updates_an_epoch=545  # 34,818 training pairs, 64 an update; the learning rate falls over all updates
mkdir -p "$run/joint" "$run/evaluator"
# Tensors are small here: a core for each of the two models trains faster than both cores for one after the other.
export OMP_NUM_THREADS=1

# One run at a time. The lock is held by whatever this script starts, too: when the script alone was killed, its
# trainings go on, and are stopped before a new run continues them.
exec 9>> "$run/lock"
stop_trainings() { kill $(cat "$run"/*/pid 2>/dev/null) 2>/dev/null || true; }
if ! flock --nonblock 9; then
    if kill -0 "$(cat "$run/pid")" 2>/dev/null; then
        echo "error: process $(cat "$run/pid") is at work in $run already; wait for it" >&2
        exit 2
    fi
    echo "Stopping what a killed run left at work in $run"
    stop_trainings
    flock 9
fi
echo $$ > "$run/pid"
trap stop_trainings EXIT
trap 'exit 130' INT TERM HUP

# train NAME EPOCHS ARGUMENTS...: stock fairseq-train; its log goes to NAME/train.log, its progress to stderr, and
# the weights it ends with to NAME/final.pt.
train() {
    local folder=$run/$1 epochs=$2 newest trainer
    shift 2
    set -- --seed 1 --hidden-size 128 --embed-dim 128 --batch-size 64 --clip-norm 5 --optimizer adam \
        --lr-scheduler cosine --warmup-updates 300 --max-update $((epochs * updates_an_epoch)) \
        --max-epoch "$epochs" "$@"
    if [ -e "$folder/arguments" ] && [ "$(cat "$folder/arguments")" != "$*" ]; then
        echo "error: $folder was trained with other options; remove that folder" >&2
        exit 2
    fi
    echo "$*" > "$folder/arguments"
    if [ -e "$folder/final.pt" ]; then return; fi
    # fairseq copies checkpoint_last.pt in place, so a kill can leave it torn; an epoch's own file is whole.
    newest=$(newest_checkpoint "$folder")
    fairseq-train "$data" --user-dir vqapg --save-dir "$folder" ${newest:+--restore-file "$newest"} \
        --no-last-checkpoints --keep-last-epochs 2 --num-workers 0 --cpu "$@" \
        >> "$folder/train.log" &
    trainer=$!
    echo $trainer > "$folder/pid"
    wait $trainer
    rm "$folder/pid"
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
train evaluator "$evaluator_epochs" --task vqapg_consistency --arch vqapg_consistency \
    --criterion vqapg_consistency --lr 1e-3 2> "$run/evaluator/progress.log" &
evaluator=$!
train joint "$epochs" --task vqapg --arch vqapg_joint_variational --criterion vqapg_elbo \
    --latent-dim 128 --kl-free-bits 3 --lr 2e-3
if [ ! -e "$run/evaluator/final.pt" ]; then echo "  waiting for the evaluator: $run/evaluator/progress.log"; fi
wait $evaluator || { tail -n 20 "$run/evaluator/progress.log" >&2; exit 1; }

echo "4/5 Generating a pair for each of the 9,673 test pairs"
generated=$run/joint/generate-test.txt
if [ ! "$generated" -nt "$run/joint/final.pt" ]; then
    fairseq-generate "$data" --user-dir vqapg --task vqapg --path "$run/joint/final.pt" --gen-subset test \
        --beam 10 --batch-size 256 --seed 1 --cpu 2> "$run/joint/generate.log" \
        | tee "$generated.partial" | grep '^H-' | python -m tqdm --total 9673 --unit pair --desc generating > /dev/null \
        || { tail -n 5 "$run/joint/generate.log" >&2; exit 1; }
    mv "$generated.partial" "$generated"
fi

echo "5/5 Evaluating"
vqapg export "$generated" --data "$data" --format jsonl \
    --evaluator "$run/evaluator/final.pt" --output "$run/pairs.jsonl"
vqapg evaluate "$data" --pairs "$generated" --evaluator "$run/evaluator/final.pt" \
    --output "$run/metrics.json" --show 12
echo "The pairs: $run/pairs.jsonl    The figures: $run/metrics.json"
