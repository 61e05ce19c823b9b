#!/usr/bin/env bash
# Table 4: diversity and consistency of the three paradigms, with and without variation.
# Run again, it skips what is done; killed anywhere and run again, it continues. tables.sh says what can be set.
#
#   bash scripts/table4.sh            on easy-VQA
#   bash scripts/table4.sh DATA       on a data directory with features
set -euo pipefail
source "$(dirname "$0")/tables.sh"
begin "$@"
models "$main"
report
