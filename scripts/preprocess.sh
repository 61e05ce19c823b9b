#!/usr/bin/env bash
# From a data set to a data directory with features, as a preset says.
#
#   bash scripts/preprocess.sh easy-vqa data/easy --preset small
#   bash scripts/preprocess.sh scenes data/scenes --preset small
#   bash scripts/preprocess.sh vqa2 data/vqa2 --source vqa2 --glove glove.6B.zip
#   bash scripts/preprocess.sh jsonl data/mine --source my/pairs.jsonl --preset small
#
# --preset is paper unless given. --glove picks the dictionary's words out of GloVe.
set -euo pipefail
usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; }
fail() { echo "error: $1; see bash scripts/preprocess.sh --help" >&2; exit 2; }
[ "${1-}" != --help ] || { usage; exit; }
[ $# -ge 1 ] || fail "which data set?"
[ $# -ge 2 ] || fail "which data directory is to be made of $1?"
dataset=$1 data=$2 preset=paper glove= source=()
shift 2
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || fail "$1: without a value"
    case $1 in
        --preset) preset=$2 ;;
        --glove) glove=$2 ;;
        --source) source=(--source "$2") ;;
        *) fail "$1: there is no such option; there are --preset, --source and --glove" ;;
    esac
    shift 2
done
echo "Getting ready to prepare $dataset in $data at preset $preset" >&2
if ! command -v vqapg > /dev/null; then source "$(dirname "$0")/environment.sh"; fi

# The values are read first: an unknown preset stops before anything is written.
settings() { vqapg settings joint --preset "$preset" ${of[@]+"${of[@]}"} --get "$1"; }
of=() images=  # which of them: what configs/data says of this data set
if [ -e "$(vqapg configs-dir)/data/${dataset//-/_}.yaml" ]; then
    of=(--data-set "$dataset")
    images=$(settings vqapg.data.prepare)
fi
features=$(settings vqapg.features)
vqapg prepare --dataset "$dataset" ${source[@]+"${source[@]}"} $images --dest "$data"
vqapg extract-features "$data" $features
if [ -n "$glove" ]; then vqapg glove "$data" --vectors "$glove"; fi
