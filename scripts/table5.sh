#!/usr/bin/env bash
# Table 5: the variational models without region scaling and without attention alignment.
# Run again, it skips what is done; killed anywhere and run again, it continues. tables.sh says what can be set.
#
#   bash scripts/table5.sh            on easy-VQA
#   bash scripts/table5.sh DATA       on a data directory with features
set -euo pipefail
source "$(dirname "$0")/tables.sh"
begin "$@"
models "$ablation"
report
