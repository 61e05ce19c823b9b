#!/usr/bin/env bash
# Table 9: overlap with the gold pairs, of the models of Table 4.
# Run again, it skips what is done; killed anywhere and run again, it continues. tables.sh says what can be set.
#
#   bash scripts/table9.sh            on easy-VQA
#   bash scripts/table9.sh DATA       on a data directory with features
set -euo pipefail
source "$(dirname "$0")/tables.sh"
begin "$@"
models "$main"
report
