#!/usr/bin/env bash
# What grouping the pairs of an image in a batch (--pairs-per-image 8) does to learning: the ELBO of the dev split after
# as many updates, of the variational joint model, for each seed. tables.sh says what can be set.
# Run again, it skips what is done; killed anywhere and run again, it continues.
#
#   bash benchmarks/grouping.sh            on easy-VQA: six trainings, about half an hour on 2 cores
#   bash benchmarks/grouping.sh DATA       on a data directory with features
set -euo pipefail
source "$(dirname "$0")/../scripts/tables.sh"
begin "$@"

# joint PAIRS_PER_IMAGE NAME SEED
joint() {
    train_generation "$run/$2/seed-$3" "$epochs" "$3" 2e-3 --arch vqapg_joint_variational --latent-dim "$width" \
        ${FREE_BITS:+--kl-free-bits "$FREE_BITS"} $([ "$1" = 1 ] || echo --pairs-per-image "$1")
}

for seed in $seeds; do
    start "joint_variational/seed-$seed" joint 1 joint_variational "$seed"
    start "joint_variational-grouped/seed-$seed" joint 8 joint_variational-grouped "$seed"
done
finish
python - "$run" $seeds << 'END'
import re, statistics, sys

run, *seeds = sys.argv[1:]
print(f"{'dev ELBO, nats a pair':<24}", *(f"{'seed ' + seed:>8}" for seed in seeds), f"{'mean':>8}")
for name, what in (("joint_variational", "pairs shuffled"), ("joint_variational-grouped", "eight of an image")):
    elbo = []
    for seed in seeds:
        with open(f"{run}/{name}/seed-{seed}/train.log", encoding="utf-8") as log:
            elbo.append(float(re.findall(r"\| valid \|.*\| elbo (\S+)", log.read())[-1]))
    print(f"{what:<24}", *(f"{value:>8.3f}" for value in elbo), f"{statistics.mean(elbo):>8.3f}")
END
