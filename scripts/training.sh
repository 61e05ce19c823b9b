# Sourced, after $run is set, by scripts that train: one script at a time in $run; stock fairseq-train that
# continues where it was killed; pairs generated and evaluated once.

source scripts/newest_checkpoint.sh

# Tensors are small here: a core for each of several trainings is faster than all cores for one after the other.
export OMP_NUM_THREADS=1
updates_an_epoch=545  # easy-VQA's 34,818 training pairs, 64 an update; the learning rate falls over all updates
test_pairs=9673
data=$run/data

# The lock is held by whatever the script starts, too: when the script alone was killed, its trainings go on, and
# are stopped before a new run continues them.
begin_run() {
    mkdir -p "$run"
    exec 9>> "$run/lock"
    if ! flock --nonblock 9; then
        if kill -0 "$(cat "$run/script-pid")" 2>/dev/null; then
            echo "error: process $(cat "$run/script-pid") is at work in $run already; wait for it" >&2
            exit 2
        fi
        echo "Stopping what a killed run left at work in $run, and waiting for it to end"
        stop_trainings
        flock 9
    fi
    find "$run" -name pid -delete
    echo $$ > "$run/script-pid"
    trap stop_trainings EXIT
    trap 'exit 130' INT TERM HUP
}

stop_trainings() {
    find "$run" -name pid -exec cat {} + 2>/dev/null | xargs --no-run-if-empty kill 2>/dev/null || true
}

prepare_easy_vqa() {
    vqapg prepare --dataset easy-vqa --dest "$data"
    vqapg extract-features "$data" --backbone efficientnet_lite0 --image-size 96
}

# have_options FILE OPTIONS: stops the run where FILE tells of work done with other options; else notes them there.
have_options() {
    if [ -e "$1" ] && [ "$(cat "$1")" != "$2" ]; then
        echo "error: $(dirname "$1") was made with other options; remove that folder" >&2
        exit 2
    fi
    echo "$2" > "$1"
}

# train FOLDER EPOCHS ARGUMENTS...: stock fairseq-train; its log goes to FOLDER/train.log, its progress to stderr,
# and the weights it ends with to FOLDER/final.pt.
train() {
    local folder=$1 epochs=$2 newest trainer
    shift 2
    mkdir -p "$folder"
    set -- --hidden-size 128 --embed-dim 128 --batch-size 64 --clip-norm 5 --optimizer adam \
        --lr-scheduler cosine --warmup-updates 300 --max-update $((epochs * updates_an_epoch)) \
        --max-epoch "$epochs" "$@"
    have_options "$folder/arguments" "$*"
    if [ -e "$folder/final.pt" ]; then return; fi
    newest=$(newest_checkpoint "$folder")
    fairseq-train "$data" --user-dir vqapg --save-dir "$folder" ${newest:+--restore-file "$newest"} \
        --no-last-checkpoints --keep-last-epochs 2 --num-workers 0 --cpu "$@" \
        >> "$folder/train.log" &
    trainer=$!
    echo $trainer > "$folder/pid"
    wait $trainer || { local status=$?; rm -f "$folder/pid"; return $status; }
    rm -f "$folder/pid"
    cp "$(newest_checkpoint "$folder")" "$folder/final.pt.partial"
    mv "$folder/final.pt.partial" "$folder/final.pt"
}

# generate FOLDER SEED: a pair for each test pair, beam 10, in FOLDER/generate-test.txt; progress to stderr.
generate() {
    local folder=$1 seed=$2
    if [ "$folder/generate-test.txt" -nt "$folder/final.pt" ]; then return; fi
    fairseq-generate "$data" --user-dir vqapg --task vqapg --path "$folder/final.pt" --gen-subset test \
        --beam 10 --max-len-b 30 --batch-size 256 --seed "$seed" --cpu 2> "$folder/generate.log" \
        | tee "$folder/generate-test.txt.partial" | grep '^H-' \
        | python -m tqdm --total $test_pairs --unit pair --desc generating > /dev/null \
        || { tail -n 5 "$folder/generate.log" >&2; return 1; }
    mv "$folder/generate-test.txt.partial" "$folder/generate-test.txt"
}
