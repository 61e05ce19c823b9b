#!/usr/bin/env bash
# Table 8: VQG and VQA pre-trained on five generated pairs for each training pair (section 6.6), then fine-tuned on the
# gold pairs, beside the baseline that is trained on these alone.
# Run again, it skips what is done; killed anywhere and run again, it continues. tables.sh says what else can be set.
#
#   bash scripts/table8.sh            on easy-VQA
#   bash scripts/table8.sh DATA       on a data directory with features
#   BASELINE_EPOCHS=20 PRETRAINING_EPOCHS=4 FINE_TUNING_EPOCHS=20 bash scripts/table8.sh
#                                     the defaults: as many epochs for the baseline as for fine-tuning; four epochs of
#                                     five times the pairs are as many updates as twenty of the gold pairs
set -euo pipefail
source "$(dirname "$0")/tables.sh"
begin "$@"
models "$variational"
gold=$data

# pairs_for MODEL: a pair for each of five draws of z, the most probable words given it, for each training pair
pairs_for() {
    local folder=$run/$1/seed-$first_seed dest=$run/downstream/data/$1 replace=
    generate "$folder" "$first_seed" train --sampling --sampling-topk 1 --beam 5 --nbest 5
    if [ -e "$dest/manifest.json" ] && [ "$folder/generate-train.txt" -nt "$dest/manifest.json" ]; then
        replace=--overwrite
    fi
    vqapg pretraining-data "$folder/generate-train.txt" --data "$gold" --dest "$dest" $replace
}

# measure TASK FOLDER
measure() {
    local of=question
    if [ "$1" = vqa ]; then of=answer; fi
    generate "$2" 1
    if up_to_date "$2/metrics.json" "$2/generate-test.txt"; then return; fi
    vqapg overlap "$gold" --pairs "$2/generate-test.txt" --of $of --output "$2/metrics.json" --overwrite
}

baseline() {
    local folder=$run/downstream/$1/baseline/seed-1
    train_generation "$folder" "${BASELINE_EPOCHS:-20}" 1 2e-3 --arch "vqapg_$1"
    measure "$1" "$folder"
}

# pretrained TASK MODEL
pretrained() {
    local folder=$run/downstream/$1/$2/seed-1 before=$run/downstream/$1/$2/pre-training
    local data=$run/downstream/data/$2 start_from=
    # What was trained on pairs of a model that has been trained anew since
    if [ -e "$before/arguments" ] && [ "$data/manifest.json" -nt "$before/arguments" ]; then
        rm -rf "$before" "$folder"
    fi
    train_generation "$before" "${PRETRAINING_EPOCHS:-4}" 1 2e-3 --arch "vqapg_$1"
    data=$gold start_from=$before/final.pt
    train_generation "$folder" "${FINE_TUNING_EPOCHS:-20}" 1 3e-4 --arch "vqapg_$1"
    measure "$1" "$folder"
}

for task in vqg vqa; do start downstream/$task/baseline baseline $task; done
for name in $variational; do start downstream/pairs/$name pairs_for $name; done
finish
for name in $variational; do
    for task in vqg vqa; do start downstream/$task/$name pretrained $task $name; done
done
finish
report
