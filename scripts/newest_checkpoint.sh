# Sourced. newest_checkpoint FOLDER: the file to continue from, if any. That is the last epoch's checkpointEPOCH.pt, or
# a later checkpoint_EPOCH_UPDATES.pt, which --save-interval-updates writes before the end of an epoch.
#
# FOLDER may be a link, and end in a slash. A checkpoint in a folder below it is another run's.
newest_checkpoint() {
    local end_of_epoch=999999999999
    [ -d "$1" ] || return 0
    find "${1%/}/" -mindepth 1 -maxdepth 1 -name 'checkpoint*.pt' ! -type d \
        | sed -nE -e "s#^.*/checkpoint([0-9]+)\.pt\$#\1 $end_of_epoch &#p" \
            -e 's#^.*/checkpoint_([0-9]+)_([0-9]+)\.pt$#\1 \2 &#p' \
        | sort -k1,1n -k2,2n | tail -n 1 | cut -d ' ' -f 3-
}
