# Sourced. newest_checkpoint FOLDER: the file to continue from, if any. fairseq copies checkpoint_last.pt in place, so
# a kill can leave it torn; an epoch's own file appears whole.
newest_checkpoint() {
    if [ -d "$1" ]; then find "$1" -name 'checkpoint[0-9]*.pt' | sort -V | tail -n 1; fi
}
