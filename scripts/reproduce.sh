#!/usr/bin/env bash
# All of the paper's tables and figures on one data set. Killed anywhere and run again, it continues.
#
#   bash scripts/reproduce.sh easy-vqa --preset small
#   bash scripts/reproduce.sh easy-vqa --preset small --only table4 --seeds 1
#   bash scripts/reproduce.sh vqa2 --source vqa2 --glove glove.6B.zip --dry-run
#   bash scripts/reproduce.sh --help
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec vqapg reproduce "$@"
