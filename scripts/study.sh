#!/usr/bin/env bash
# The paper's comparison on easy-VQA: three paradigms, with and without variation, in both orders, without region
# scaling, without attention alignment; and the paper's own objective beside ours. 33 trainings.
# Run again, it skips what is done; killed anywhere and run again, it continues.
#
#   bash scripts/study.sh                 as many trainings side by side as there are cores; about 2 1/4 hours on 2 cores
#   EPOCHS=20 JOBS=8 SEEDS="1 2 3 4 5" bash scripts/study.sh
set -euo pipefail

if [ $# -gt 0 ]; then sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
epochs=${EPOCHS:-8}
jobs=${JOBS:-$(nproc)}
seeds=${SEEDS:-1 2 3}
run=runs/study-$epochs-epochs
source "$(dirname "$0")/environment.sh"
source scripts/training.sh
begin_run
prepare_easy_vqa

# one NAME SEED ARGUMENTS...: trains and generates; everything of it is in $run/NAME/seed-SEED
one() {
    local folder=$run/$1/seed-$2 seed=$2
    shift 2
    train "$folder" "$epochs" --task vqapg --criterion vqapg_elbo --lr 2e-3 --validate-interval 2 --log-format simple \
        --log-interval 545 --seed "$seed" "$@"
    generate "$folder" "$seed"
}

evaluator() {
    train "$run/evaluator" 20 --task vqapg_consistency --arch vqapg_consistency --criterion vqapg_consistency \
        --lr 1e-3 --seed 1
}

started=()
# start NAME FUNCTION ARGUMENTS...: as one of $jobs side by side; its output goes to $run/NAME/log
start() {
    local name=$1
    shift
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
    echo "$(date +%H:%M) $name"
    mkdir -p "$run/$name"
    "$@" > "$run/$name/log" 2>&1 &
    started+=("$!:$name")
}
# model NAME SEED ARGUMENTS...
model() { start "$1/seed-$2" one "$@"; }

# Our objective at its defaults, five free nats, and the paper's with as many
variational="--latent-dim 128"
start evaluator evaluator
for seed in $seeds; do
    for paradigm in joint pipeline sequential; do
        model ${paradigm}_variational $seed --arch vqapg_${paradigm}_variational $variational
        if [ "$seed" = "${seeds%% *}" ]; then
            model $paradigm $seed --arch vqapg_$paradigm
            model ${paradigm}_variational-paper_objective $seed --arch vqapg_${paradigm}_variational $variational \
                --free-bits-mode paper
        fi
    done
    for paradigm in pipeline sequential; do
        model ${paradigm}_variational-qa $seed --arch vqapg_${paradigm}_variational --order qa $variational
    done
    model joint_variational-no_scaling $seed --arch vqapg_joint_variational --no-region-scaling $variational
    model joint_variational-no_alignment $seed --arch vqapg_joint_variational --attention-alignment-weight 0 \
        $variational
done
for seed in $seeds; do
    for paradigm in pipeline sequential; do
        model ${paradigm}_variational-no_scaling $seed --arch vqapg_${paradigm}_variational --no-region-scaling \
            $variational
    done
done

failed=
for job in "${started[@]}"; do
    if ! wait "${job%%:*}"; then
        failed=1
        echo "error: ${job#*:} failed; the end of $run/${job#*:}/log:" >&2
        tail -n 3 "$run/${job#*:}/log" >&2
    fi
done
if [ -n "$failed" ]; then exit 1; fi

for generated in "$run"/*/seed-*/generate-test.txt; do
    metrics=$(dirname "$generated")/metrics.json
    if [ "$metrics" -nt "$generated" ] && [ "$metrics" -nt "$run/evaluator/final.pt" ]; then continue; fi
    vqapg evaluate "$data" --pairs "$generated" --evaluator "$run/evaluator/final.pt" --output "$metrics" > /dev/null
done
vqapg report "$run" --output "$run/study.md"
