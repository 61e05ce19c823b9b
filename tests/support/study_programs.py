"""`vqapg reproduce` with stand-ins for the programs that its jobs run.

A stand-in writes the files that the real program would, in milliseconds, and a line of what it was
called with. That of fairseq-train takes four epochs and continues from its checkpoint.
"""

import os
import subprocess
import sys
from pathlib import Path

STAND_IN = r"""#!/usr/bin/env bash
set -euo pipefail
program=$(basename "$0") words=("$@")
# value_of FLAG: the word after it
value_of() {
    local number
    for number in "${!words[@]}"; do
        if [ "${words[number]}" = "$1" ]; then echo "${words[number + 1]}"; fi
    done
}
record() { echo "$*" >> "$STAND_IN_RECORD"; }
if [ -n "${STAND_IN_FAILS-}" ] && [[ "$program $*" = *$STAND_IN_FAILS* ]]; then
    echo "no such luck"
    exit 3
fi
case "$program ${1-}" in
    fairseq-train*)
        folder=$(value_of --save-dir) epoch=0
        if [ -e "$folder/checkpoint_last.pt" ]; then epoch=$(cat "$folder/checkpoint_last.pt"); fi
        record "begin $folder gpus=${CUDA_VISIBLE_DEVICES-unset}"
        # Two at once would fight for the checkpoints.
        if kill -0 "$(cat "$folder/at-work" 2> /dev/null)" 2> /dev/null; then record "CLASH"; fi
        echo $$ > "$folder/at-work"
        while [ "$epoch" -lt 4 ]; do
            sleep "${STAND_IN_EPOCH:-0.01}"
            while [ -e "${STAND_IN_HOLD:-}" ]; do sleep 0.05; done
            epoch=$((epoch + 1))
            # A kill between the two has the epoch trained twice, never left out.
            record "epoch $folder $epoch"
            echo $epoch > "$folder/checkpoint_last.pt"
        done
        rm "$folder/at-work"
        record "end $folder" ;;
    fairseq-generate*)
        record "generate $(value_of --path)"
        echo "H-0 $(cat "$(value_of --path)")" ;;
    "vqapg prepare")
        record "prepare"
        mkdir -p "$(value_of --dest)"
        printf 'a.png\nb.png\n' > "$(value_of --dest)/test.image"
        echo '{}' > "$(value_of --dest)/manifest.json" ;;
    "vqapg extract-features") record "features"; touch "$2/features.h5" ;;
    "vqapg checkpoint")
        cat "$2/checkpoint_last.pt" > "$(value_of --output)"
        echo '{}' > "$(dirname "$(value_of --output)")/trained.json" ;;
    "vqapg annotate")
        record "annotate"
        if [ -n "${STAND_IN_TOO_FEW-}" ]; then exit 2; fi
        mkdir "$3" ;;
    "vqapg pretraining-data")
        record "pretraining-data $*"
        mkdir -p "$(value_of --dest)"
        echo '{}' > "$(value_of --dest)/manifest.json" ;;
    "vqapg report")
        output=$(value_of --output)
        if [ "$2" = --table-10 ]; then echo '{}' > "$output"; exit; fi
        record "report"
        mkdir -p "$output"
        touch "$output/report.md" ;;
    *)
        record "$program $*"
        touch "$(value_of --output)" ;;
esac
"""


class Programs:
    """The stand-ins, in *folder*, and the record of their calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = folder / "record"
        programs = folder / "programs"
        programs.mkdir()
        for name in ("vqapg", "fairseq-train", "fairseq-generate"):
            (programs / name).write_text(STAND_IN)
            (programs / name).chmod(0o755)
        self.environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "STAND_IN_RECORD": str(self.record),
            # The jobs import vqapg of this checkout, wherever they run.
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TMPDIR": str(folder),
        }

    def start(self, *words: object, **environment: str) -> subprocess.Popen:
        """Starts `vqapg reproduce` in the folder; kill it as one would."""
        command = [sys.executable, "-m", "vqapg.cli.main", "reproduce", *map(str, words)]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: object, status: int = 0, **environment: str) -> str:
        """What it prints; its exit status must be *status*."""
        process = self.start(*words, **environment)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == status, said
        return said

    def calls(self, of: str = "") -> list[str]:
        """The lines of the record that begin with *of*."""
        if not self.record.exists():
            return []
        return [line for line in self.record.read_text().splitlines() if line.startswith(of)]
