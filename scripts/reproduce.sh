#!/usr/bin/env bash
# The whole paper on a data set: data, features, all trainings, measures, tables and figures. Run
# again, it skips what is done; killed at any moment and run again, it continues.
#
#   bash scripts/reproduce.sh easy-vqa --preset small
#   bash scripts/reproduce.sh scenes --preset small
#   bash scripts/reproduce.sh vqa2 --source vqa2 --glove glove.6B.zip
#   bash scripts/reproduce.sh data/mine --preset small --only table4 figure5 --seeds "1"
#   bash scripts/reproduce.sh easy-vqa --preset small --dry-run      prints the stock commands
#   bash scripts/reproduce.sh --help                                 all flags
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec vqapg reproduce "$@"
