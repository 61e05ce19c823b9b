#!/usr/bin/env bash
# Table 10: the number of parameters of each model, at our width and at the published one, beside the paper's; in
# runs/table10/report.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/environment.sh
mkdir -p runs/table10
vqapg report --table-10 --output runs/table10/parameters.json --overwrite
vqapg report runs/table10 --overwrite > /dev/null
