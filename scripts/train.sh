#!/usr/bin/env bash
# Trains one model at the paper's settings (configs/MODEL.yaml) with fairseq-train: on all GPUs of this machine, on
# those of several machines, or without GPU. The same command again continues.
#
#   bash scripts/train.sh MODEL DATA [flags of fairseq-train, which override]
#   bash scripts/train.sh joint_variational data/easy --hidden-size 128 --embed-dim 128 --lr 2e-3 --batch-size 64
#
# MODEL: joint, pipeline, sequential, each also ..._variational; vqg, vqa; consistency. Checkpoints go to runs/MODEL
# unless --save-dir says otherwise: checkpoint_best.pt, and the newest epoch's, to continue from. --batch-size is of
# one process; without it 256 are shared among all.
#
#   CUDA_VISIBLE_DEVICES=0,1 bash scripts/train.sh ...                                        some of the GPUs
#   NODES=2 NODE_RANK=0 MASTER_ADDR=host0 MASTER_PORT=29500 bash scripts/train.sh ...         on each of two machines
#   PROCESSES=2 bash scripts/train.sh ...                                                     two processes, no GPU
set -euo pipefail

usage() { sed -n '2,15s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "error: $1" >&2; exit 2; }
[ $# -ge 1 ] || usage
[ $# -ge 2 ] || fail "which data directory? bash scripts/train.sh $1 DATA"
model=$1 data=$2
shift 2

case $model in
    joint | pipeline | sequential | vqg | vqa | joint_variational | pipeline_variational | sequential_variational)
        settings=(--task vqapg --criterion vqapg_elbo --best-checkpoint-metric elbo) ;;
    consistency)
        settings=(--task vqapg_consistency --criterion vqapg_consistency --best-checkpoint-metric accuracy) ;;
    *) fail "there is no model $model; bash scripts/train.sh without arguments lists them" ;;
esac
[ -e "$data/manifest.json" ] || fail "$data: not a finished data directory (no manifest.json in it); see vqapg prepare --help"
for number in "${PROCESSES-1}" "${NODES-1}"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || fail "PROCESSES and NODES must be whole numbers from 1 up, not $number"
done
if [ "${NODES-1}" -gt 1 ]; then
    for name in NODE_RANK MASTER_ADDR MASTER_PORT; do
        [ -n "${!name-}" ] || fail "NODES=$NODES needs NODE_RANK, MASTER_ADDR and MASTER_PORT; $name is not set"
    done
fi
root=$(cd "$(dirname "$0")/.." && pwd)
source "$root/scripts/newest_checkpoint.sh"
if ! command -v fairseq-train > /dev/null; then source "$root/scripts/environment.sh"; fi

# How many processes, and what they need
if [ -n "${PROCESSES-}" ]; then export CUDA_VISIBLE_DEVICES=; fi
gpus=$(python3 -c 'import torch; print(torch.cuda.device_count())')
here=${PROCESSES:-$((gpus > 0 ? gpus : 1))}
nodes=${NODES:-1}
world=$((here * nodes))
if [ "$gpus" -gt 0 ] && [ "$nodes" = 1 ]; then
    launch=(fairseq-train)  # which starts a process a GPU
elif [ "$world" = 1 ]; then
    launch=(fairseq-train --cpu)
else
    device='--cpu --distributed-backend gloo --ddp-backend legacy_ddp'
    if [ "$gpus" -gt 0 ]; then device='--device-id $LOCAL_RANK'; fi
    rendezvous=(--standalone)
    if [ "$nodes" -gt 1 ]; then
        rendezvous=(
            --nnodes "$nodes" --node-rank "$NODE_RANK" --master-addr "$MASTER_ADDR" --master-port "$MASTER_PORT"
        )
    fi
    launch=(
        torchrun "${rendezvous[@]}" --nproc-per-node "$here" --no-python
        bash -c "exec fairseq-train \"\$@\" --distributed-world-size \$WORLD_SIZE --distributed-rank \$RANK \
            --distributed-no-spawn --distributed-init-method env:// $device" fairseq-train
    )
fi

save_dir=runs/$model previous=
scheduler=(--lr-scheduler reduce_lr_on_plateau --lr-shrink 0.5 --lr-patience 4 --lr-threshold 0)
for word in "$@"; do
    if [ "$previous" = --save-dir ]; then save_dir=$word; fi
    case $word in
        --save-dir=*) save_dir=${word#--save-dir=} ;;
        --lr-scheduler | --lr-scheduler=*) scheduler=() ;;  # another one does not know these flags
    esac
    previous=$word
done
newest=$(newest_checkpoint "$save_dir")
if [ -n "$newest" ]; then
    # The run goes on; the model it began from was for its first start.
    kept=() previous=
    for word in "$@"; do
        case $previous in --finetune-from-model) previous=; continue ;; esac
        previous=$word
        case $word in --finetune-from-model | --finetune-from-model=*) ;; *) kept+=("$word") ;; esac
    done
    set -- ${kept[@]+"${kept[@]}"}
fi

# Section 5.3, as in configs/paper.yaml; flags given later win.
exec "${launch[@]}" "$data" --user-dir "$root/vqapg" --arch "vqapg_$model" "${settings[@]}" \
    --maximize-best-checkpoint-metric --optimizer adam --lr 1e-3 "${scheduler[@]}" \
    --batch-size $(((256 + world - 1) / world)) --max-epoch 40 --clip-norm 5 --seed 1 --num-workers 0 \
    --keep-last-epochs 1 --no-last-checkpoints --save-dir "$save_dir" ${newest:+--restore-file "$newest"} \
    --log-format simple "$@"
