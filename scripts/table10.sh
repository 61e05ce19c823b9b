#!/usr/bin/env bash
# Table 10: the number of parameters of each model, at our width and at the published one, beside the paper's.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec vqapg report --table-10
