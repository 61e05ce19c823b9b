# Sourced by the scripts that make the paper's tables and figures: one study's folder for all of them, so that no model
# is trained twice. Environment variables:
#
#   EPOCHS=8 SEEDS="1 2 3"    of each generation model; the baselines, and the paper's objective, take the first seed
#   EVALUATOR_EPOCHS=20       of the consistency evaluator
#   JOBS=2                    trainings side by side, the number of cores unless given
#   WIDTH=128                 of all representations
#   FREE_BITS=3               nats of our objective's free bits, five (as the paper's) unless given

epochs=${EPOCHS:-8}
seeds=${SEEDS:-1 2 3}
first_seed=${seeds%% *}
jobs=${JOBS:-$(nproc)}

variational="pipeline_variational joint_variational sequential_variational"
main="joint pipeline sequential $variational"
orders="pipeline_variational sequential_variational pipeline_variational-qa sequential_variational-qa"
ablation="$variational joint_variational-no_scaling joint_variational-no_alignment pipeline_variational-no_scaling \
    sequential_variational-no_scaling"
objective="pipeline_variational-paper_objective joint_variational-paper_objective sequential_variational-paper_objective"

# begin [DATA]: sets $run and $data; without DATA, easy-VQA is prepared.
begin() {
    local given name=
    if [ $# -gt 1 ] || [[ ${1-} = -* ]]; then
        sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
        exit 2
    fi
    if [ $# = 1 ]; then
        if [ ! -e "$1/manifest.json" ] || [ ! -e "$1/features.h5" ]; then
            echo "error: $1: not a data directory with features; see vqapg prepare --help" >&2
            exit 2
        fi
        given=$(realpath "$1")
        name=$(basename "$given")-
    fi
    run=runs/study-$name$epochs-epochs${FREE_BITS:+-$FREE_BITS-nats}
    cd "$(dirname "${BASH_SOURCE[0]}")/.."
    source scripts/environment.sh
    source scripts/training.sh
    begin_run
    if [ -z "${given-}" ]; then
        prepare_easy_vqa
    elif [ ! -e "$data" ]; then
        ln -sfn "$given" "$data"
    elif [ "$(realpath "$data")" != "$given" ]; then
        echo "error: $run is of $(realpath "$data"); rename $given, or remove that folder" >&2
        exit 2
    fi
}

# train_generation FOLDER EPOCHS SEED LR ARGUMENTS...
train_generation() {
    local folder=$1 epochs=$2 seed=$3 lr=$4
    shift 4
    train "$folder" "$epochs" --task vqapg --criterion vqapg_elbo --lr "$lr" --validate-interval 2 \
        --log-format simple --log-interval "$(updates_an_epoch)" --seed "$seed" "$@"
}

# one NAME SEED: trains and generates; everything of it is in $run/NAME/seed-SEED
one() {
    local arch=${1%%-*} latent=
    if [[ $arch = *_variational ]]; then latent="--latent-dim $width"; fi
    if [ -n "$latent" ] && [ -n "${FREE_BITS-}" ] && [[ $1 != *-paper_objective ]]; then
        latent+=" --kl-free-bits $FREE_BITS"
    fi
    set -- "$1" "$2" --arch "vqapg_$arch"
    case $1 in
        *-qa) set -- "$@" --order qa $latent ;;
        *-no_scaling) set -- "$@" --no-region-scaling $latent ;;
        *-no_alignment) set -- "$@" --attention-alignment-weight 0 $latent ;;
        *-paper_objective) set -- "$@" $latent --free-bits-mode paper ;;
        *) set -- "$@" $latent ;;
    esac
    local folder=$run/$1/seed-$2 seed=$2
    shift 2
    train_generation "$folder" "$epochs" "$seed" 2e-3 "$@"
    generate "$folder" "$seed"
}

# evaluator NAME ARGUMENTS...
evaluator() {
    local name=$1
    shift
    train "$run/$name" "${EVALUATOR_EPOCHS:-20}" --task vqapg_consistency --arch vqapg_consistency \
        --criterion vqapg_consistency --lr 1e-3 --seed 1 "$@"
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

# Waits for all that was started; stops the script where one failed.
finish() {
    local job failed=
    for job in ${started[@]+"${started[@]}"}; do
        if ! wait "${job%%:*}"; then
            failed=1
            echo "error: ${job#*:} failed; the end of $run/${job#*:}/log:" >&2
            tail -n 3 "$run/${job#*:}/log" >&2
        fi
    done
    if [ -n "$failed" ]; then exit 1; fi
    started=()
}

seeds_of() {
    case $1 in
        *_variational-paper_objective) echo "$first_seed" ;;
        *_variational*) echo "$seeds" ;;
        *) echo "$first_seed" ;;
    esac
}

# start_models NAMES: a first seed of every model before the second of any
start_models() {
    local seed name
    for seed in $seeds; do
        for name in $1; do
            if [[ " $(seeds_of "$name") " = *" $seed "* ]]; then start "$name/seed-$seed" one "$name" "$seed"; fi
        done
    done
}

# evaluate_models NAMES: what is newer than its figures
evaluate_models() {
    local name seed folder
    for name in $1; do
        for seed in $(seeds_of "$name"); do
            folder=$run/$name/seed-$seed
            if up_to_date "$folder/metrics.json" "$folder/generate-test.txt" "$run/evaluator/final.pt"; then continue; fi
            vqapg evaluate "$data" --pairs "$folder/generate-test.txt" --evaluator "$run/evaluator/final.pt" \
                --output "$folder/metrics.json" --overwrite > /dev/null
        done
    done
}

# models NAMES: trained, generated from and evaluated; a name may be there twice
models() {
    local names
    names=$(printf '%s\n' $1 | awk '!seen[$0]++')
    start evaluator evaluator evaluator
    start_models "$names"
    finish
    evaluate_models "$names"
}

# check_evaluators: Table 3, of the paper's negatives and of hard ones
check_evaluators() {
    local name
    start evaluator evaluator evaluator
    start evaluator-hard evaluator evaluator-hard --negatives hard
    finish
    for name in evaluator evaluator-hard; do
        if up_to_date "$run/$name/evaluator.json" "$run/$name/final.pt"; then continue; fi
        vqapg check-evaluator "$data" --evaluator "$run/$name/final.pt" --output "$run/$name/evaluator.json" \
            --overwrite > /dev/null
    done
}

# look IMAGES...: Table 7 and Figures 6 to 8, for the variational models, which are there
look() {
    local name folder
    for name in $variational; do
        folder=$run/$name/seed-$first_seed
        if up_to_date "$folder/attention.json" "$folder/final.pt" "$run/evaluator/final.pt" \
            && [ "$(cat "$folder/looked-at" 2> /dev/null)" = "$*" ]; then continue; fi
        vqapg attention "$data" --checkpoint "$folder/final.pt" --evaluator "$run/evaluator/final.pt" \
            --overwrite --output "$folder/attention.json" "$@" > /dev/null
        echo "$*" > "$folder/looked-at"
    done
}

# The images to look at: IMAGES, else the first three of the test split.
images() { echo "${IMAGES:-$(uniq "$data/test.image" | head -n 3 | tr '\n' ' ')}"; }

report() { vqapg report "$run" --output "$run/report" --overwrite; }
