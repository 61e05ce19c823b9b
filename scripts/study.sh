#!/usr/bin/env bash
# The paper's comparison: three paradigms, with and without variation, in both orders, without region scaling, without
# attention alignment; and the paper's own objective beside ours. 33 models and two evaluators, then all tables but 6
# and 8, and all figures, in runs/study-.../report. Run again, it skips what is done; killed anywhere and run again, it
# continues.
#
#   bash scripts/study.sh                 on easy-VQA, as many trainings side by side as there are cores; about
#                                         2 1/4 hours on 2 cores
#   bash scripts/study.sh DATA            on a data directory with features
#   EPOCHS=20 JOBS=8 SEEDS="1 2 3 4 5" IMAGES="test/images/705.png test/images/649.png" bash scripts/study.sh
set -euo pipefail
source "$(dirname "$0")/tables.sh"
begin "$@"
models "$main $objective $orders $ablation"
check_evaluators
look $(images)
vqapg report --table-10 --output "$run/parameters.json" --overwrite > /dev/null
report
