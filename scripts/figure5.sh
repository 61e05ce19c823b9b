#!/usr/bin/env bash
# Figure 5: answer first and question first.
# Run again, it skips what is done; killed anywhere and run again, it continues. tables.sh says what can be set.
#
#   bash scripts/figure5.sh            on easy-VQA
#   bash scripts/figure5.sh DATA       on a data directory with features
set -euo pipefail
source "$(dirname "$0")/tables.sh"
begin "$@"
models "$orders"
report
