#!/usr/bin/env bash
# Table 2: images and question-answer pairs of the data.
# Run again, it skips what is done; killed anywhere and run again, it continues. tables.sh says what can be set.
#
#   bash scripts/table2.sh            on easy-VQA
#   bash scripts/table2.sh DATA       on a data directory with features
set -euo pipefail
source "$(dirname "$0")/tables.sh"
begin "$@"
report
