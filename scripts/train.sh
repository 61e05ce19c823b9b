#!/usr/bin/env bash
# Trains one model at the paper's settings (configs/MODEL.yaml) with fairseq-train: on all GPUs of this machine, on
# those of several machines, or without GPU. The same command again continues.
#
#   bash scripts/train.sh MODEL DATA [flags of fairseq-train, which override]
#   bash scripts/train.sh joint_variational data/easy --hidden-size 128 --embed-dim 128 --lr 2e-3 --batch-size 64
#
# MODEL: joint, pipeline, sequential, each also ..._variational; vqg, vqa; consistency. Checkpoints go to runs/MODEL
# unless --save-dir says otherwise. --batch-size is of one process; without it 256 are shared among all.
#
#   CUDA_VISIBLE_DEVICES=0,1 bash scripts/train.sh ...                                        some of the GPUs
#   NODES=2 NODE_RANK=0 MASTER_ADDR=host0 MASTER_PORT=29500 bash scripts/train.sh ...         on each of two machines
#   PROCESSES=2 bash scripts/train.sh ...                                                     two processes without GPU
set -euo pipefail

usage() { sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
model=$1 data=$2
shift 2
cd "$(dirname "$0")/.."

generation="--task vqapg --arch vqapg_$model --criterion vqapg_elbo --best-checkpoint-metric elbo"
case $model in
    joint | pipeline | sequential | vqg | vqa | joint_variational | pipeline_variational | sequential_variational)
        settings=$generation ;;
    consistency)
        settings="--task vqapg_consistency --arch vqapg_consistency --criterion vqapg_consistency
            --best-checkpoint-metric accuracy" ;;
    *) echo "error: there is no model $model" >&2; usage ;;
esac

# How many processes, and what they need
gpus=$(python3 -c 'import torch; print(torch.cuda.device_count())')
here=${PROCESSES:-$((gpus > 0 ? gpus : 1))}
nodes=${NODES:-1}
world=$((here * nodes))
if [ "$gpus" -gt 0 ] && [ "$nodes" = 1 ]; then
    launch=(fairseq-train)  # which starts a process a GPU
elif [ "$world" = 1 ]; then
    launch=(fairseq-train --cpu)
else
    device="--cpu --distributed-backend gloo --ddp-backend legacy_ddp"
    if [ "$gpus" -gt 0 ]; then device='--device-id $LOCAL_RANK'; fi
    rendezvous=(--standalone)
    if [ "$nodes" -gt 1 ]; then
        rendezvous=(--nnodes "$nodes" --node-rank "${NODE_RANK:?}" --master-addr "${MASTER_ADDR:?}" --master-port "${MASTER_PORT:?}")
    fi
    launch=(
        torchrun "${rendezvous[@]}" --nproc-per-node "$here" --no-python
        bash -c "exec fairseq-train \"\$@\" --distributed-world-size \$WORLD_SIZE --distributed-rank \$RANK --distributed-no-spawn --distributed-init-method env:// $device" fairseq-train
    )
fi

# Section 5.3, as in configs/paper.yaml; flags given later win.
set -- "$data" --user-dir vqapg $settings --maximize-best-checkpoint-metric \
    --optimizer adam --lr 1e-3 --lr-scheduler reduce_lr_on_plateau --lr-shrink 0.5 --lr-patience 5 \
    --batch-size $(((256 + world - 1) / world)) --max-epoch 40 --clip-norm 5 --seed 1 --num-workers 0 \
    --no-epoch-checkpoints --save-dir "runs/$model" --log-format simple "$@"
exec "${launch[@]}" "$@"
