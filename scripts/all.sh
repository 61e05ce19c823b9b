#!/usr/bin/env bash
# Every table and figure of the paper, on easy-VQA or on a data directory with features; Table 6 waits for people
# (table6.sh). Run again, it skips what is done; killed anywhere and run again, it continues.
#
#   bash scripts/all.sh [DATA]
set -euo pipefail
bash "$(dirname "$0")/study.sh" "$@"
bash "$(dirname "$0")/table8.sh" "$@"
