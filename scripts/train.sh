#!/usr/bin/env bash
# Trains one model at a preset with fairseq-train: on all GPUs of this machine, on those of several
# machines, or without GPU. The same command again continues.
#
#   bash scripts/train.sh MODEL DATA [--preset P] [flags of fairseq-train, which override]
#   bash scripts/train.sh joint_variational data/easy --preset small --max-epoch 4
#
# MODEL: joint, pipeline, sequential, each also ..._variational; vqg, vqa; consistency. P: paper,
# published, small or recommended; paper unless given. Checkpoints go to runs/MODEL unless --save-dir
# says otherwise: checkpoint_best.pt, and checkpoint_last.pt to continue from. You see a line an
# epoch. What fairseq-train prints is in train.log beside the checkpoints.
#
#   CUDA_VISIBLE_DEVICES=0,1 bash scripts/train.sh ...                                    some GPUs
#   NODES=2 NODE_RANK=0 MASTER_ADDR=host0 MASTER_PORT=29500 bash scripts/train.sh ...     two machines
#   PROCESSES=2 bash scripts/train.sh ...                                 two processes, without GPU
set -euo pipefail
usage() { sed -n '2,16s/^# \{0,1\}//p' "$0"; }
[ "${1-}" != --help ] || { usage; exit; }
fail() { echo "error: $1" >&2; exit 2; }
[ $# -ge 1 ] || fail "which model? bash scripts/train.sh MODEL DATA; --help lists them"
[ $# -ge 2 ] || fail "which data directory? bash scripts/train.sh $1 DATA"
model=$1 data=$2 preset=paper
shift 2
if [ "${1-}" = --preset ]; then preset=${2-}; shift 2 || fail "--preset: which one?"; fi
[ -e "$data/manifest.json" ] || fail "$data: not a finished data directory (no manifest.json in it); see vqapg prepare --help"
for number in "${PROCESSES-1}" "${NODES-1}"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || fail "PROCESSES and NODES must be whole numbers from 1 up, not $number"
done
if [ "${NODES-1}" -gt 1 ]; then
    for name in NODE_RANK MASTER_ADDR MASTER_PORT; do
        [ -n "${!name-}" ] || fail "NODES=$NODES needs NODE_RANK, MASTER_ADDR and MASTER_PORT; $name is not set"
    done
fi
echo "Getting ready to train $model on $data at preset $preset"
if ! command -v vqapg > /dev/null; then source "$(dirname "$0")/environment.sh"; fi

without=()
if [[ " $*" = *" --lr-scheduler"* ]]; then without=(--without lr_scheduler); fi  # it has flags of its own
words=$(vqapg settings "$model" --preset "$preset" --data "$data" ${without[@]+"${without[@]}"})
eval "flags=($words)"  # which are quoted for a shell

# How many processes, and what they need
if [ -n "${PROCESSES-}" ]; then export CUDA_VISIBLE_DEVICES=; fi
gpus=$(python3 -c 'import torch; print(torch.cuda.device_count())')
here=${PROCESSES:-$((gpus > 0 ? gpus : 1))}
nodes=${NODES:-1}
if [ "$gpus" -gt 0 ] && [ "$nodes" = 1 ]; then
    launch=(fairseq-train)  # which starts a process a GPU
elif [ $((here * nodes)) = 1 ]; then
    launch=(fairseq-train --cpu)
else
    device='--cpu --distributed-backend gloo --ddp-backend legacy_ddp'
    if [ "$gpus" -gt 0 ]; then device='--device-id $LOCAL_RANK'; fi
    rendezvous=(--standalone)
    if [ "$nodes" -gt 1 ]; then
        rendezvous=(--nnodes "$nodes" --node-rank "$NODE_RANK" --master-addr "$MASTER_ADDR" --master-port "$MASTER_PORT")
    fi
    launch=(torchrun "${rendezvous[@]}" --nproc-per-node "$here" --no-python bash -c
        "exec fairseq-train \"\$@\" --distributed-world-size \$WORLD_SIZE --distributed-rank \$RANK \
            --distributed-no-spawn --distributed-init-method env:// $device" fairseq-train)
fi
# Flags given later win.
exec python -m vqapg.study.watched_training "$model" "$preset" "$data" \
    "${launch[@]}" "$data" "${flags[@]}" --save-dir "runs/$model" "$@"
