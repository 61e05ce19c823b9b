#!/usr/bin/env bash
# Table 6: human evaluation of the three variational models. The first run draws images and pairs, and says how people
# judge them; run again when they have, it makes the table.
#
#   bash scripts/table6.sh            on easy-VQA
#   bash scripts/table6.sh DATA       on a data directory with features
#   PEOPLE_JUDGE=50 bash scripts/table6.sh      how many images, 50 as in the paper
set -euo pipefail
source "$(dirname "$0")/tables.sh"
begin "$@"
models "$variational"
session=$run/annotation
if [ ! -e "$session" ]; then
    pairs=
    for name in $variational; do pairs+=" --pairs $name=$run/$name/seed-$first_seed/generate-test.txt"; done
    vqapg annotate start "$session" --data "$data" --images "${PEOPLE_JUDGE:-50}" $pairs
fi
if ! vqapg annotate score "$session" --output "$run/human.json" --overwrite; then
    echo "Let people judge: vqapg annotate serve $session; then run this again." >&2
    exit 1
fi
report
