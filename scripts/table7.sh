#!/usr/bin/env bash
# Table 7 and Figures 6, 7 and 8: pairs of the variational models for a few images, the weights they gave to the images'
# regions, and the attention of question and answer. Run again, it skips what is done.
#
#   bash scripts/table7.sh            on easy-VQA
#   bash scripts/table7.sh DATA       on a data directory with features
#   IMAGES="test/images/705.png test/images/649.png" bash scripts/table7.sh     the first three of the test split
#                                     unless given
set -euo pipefail
source "$(dirname "$0")/tables.sh"
begin "$@"
models "$variational"
look $(images)
report
