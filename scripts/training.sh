# Sourced, after $run is set, by scripts that train: one script at a time in $run; stock fairseq-train that
# continues where it was killed; pairs generated once. $data is the data directory.

source scripts/newest_checkpoint.sh

# Tensors are small here: a core for each of several trainings is faster than all cores for one after the other.
export OMP_NUM_THREADS=1
batch_size=64
width=${WIDTH:-128}
data=$run/data

pairs_of() { wc -l < "$data/$1.image"; }
updates_an_epoch() { echo $((($(pairs_of train) + batch_size - 1) / batch_size)); }

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

# up_to_date FILE FROM...: it is there, and nothing that it is made from is newer.
up_to_date() {
    local file=$1 from
    shift
    [ -e "$file" ] || return 1
    for from in "$@"; do if [ "$from" -nt "$file" ]; then return 1; fi; done
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
# and the weights it ends with to FOLDER/final.pt. The learning rate falls over all updates. With a variable
# start_from it begins with the weights of that checkpoint.
train() {
    local folder=$1 epochs=$2 updates warmup newest trainer from
    shift 2
    mkdir -p "$folder"
    updates=$((epochs * $(updates_an_epoch)))
    warmup=$((updates < 3000 ? updates / 10 : 300))
    set -- --hidden-size "$width" --embed-dim "$width" --batch-size "$batch_size" --clip-norm 5 --optimizer adam \
        --lr-scheduler cosine --warmup-updates $warmup --max-update $updates --max-epoch "$epochs" "$@"
    have_options "$folder/arguments" "$*${start_from:+ from $start_from}"
    if [ -e "$folder/final.pt" ]; then return; fi
    newest=$(newest_checkpoint "$folder")
    if [ -n "$newest" ]; then
        from=(--restore-file "$newest")
    else
        from=(${start_from:+--finetune-from-model "$start_from"})
    fi
    fairseq-train "$data" --user-dir vqapg --save-dir "$folder" "${from[@]}" \
        --no-last-checkpoints --keep-last-epochs 2 --num-workers 0 --cpu "$@" \
        >> "$folder/train.log" &
    trainer=$!
    echo $trainer > "$folder/pid"
    wait $trainer || { local status=$?; rm -f "$folder/pid"; return $status; }
    rm -f "$folder/pid"
    cp "$(newest_checkpoint "$folder")" "$folder/final.pt.partial"
    mv "$folder/final.pt.partial" "$folder/final.pt"
}

# generate FOLDER SEED [SPLIT [FLAGS...]]: a pair for each pair of the split, test and beam 10 unless given, in
# FOLDER/generate-SPLIT.txt; progress to stderr.
generate() {
    local folder=$1 seed=$2 split=${3:-test} output
    shift $(($# < 3 ? 2 : 3))
    output=$folder/generate-$split.txt
    if up_to_date "$output" "$folder/final.pt"; then return; fi
    if [ $# = 0 ]; then set -- --beam 10; fi
    fairseq-generate "$data" --user-dir vqapg --task vqapg --path "$folder/final.pt" --gen-subset "$split" \
        --max-len-b 30 --batch-size 256 --seed "$seed" --cpu "$@" 2> "$folder/generate.log" \
        | tee "$output.partial" | awk '/^H-/ && $1 != last { last = $1; print; fflush() }' \
        | python -m tqdm --total "$(pairs_of "$split")" --unit pair --desc generating > /dev/null \
        || { tail -n 5 "$folder/generate.log" >&2; return 1; }
    mv "$output.partial" "$output"
}
