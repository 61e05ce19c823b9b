#!/usr/bin/env bash
# Table 3: the accuracy of the consistency evaluator, trained on the paper's negatives and on hard ones.
# Run again, it skips what is done; killed anywhere and run again, it continues. tables.sh says what can be set.
#
#   bash scripts/table3.sh            on easy-VQA
#   bash scripts/table3.sh DATA       on a data directory with features
set -euo pipefail
source "$(dirname "$0")/tables.sh"
begin "$@"
check_evaluators
report
