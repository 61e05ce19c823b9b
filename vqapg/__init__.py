"""vqapg: visual question-answer pair generation as a fairseq plugin.

The folder of this package is the ``--user-dir`` of the fairseq commands, which import ``tasks/`` and
``models/`` from it; importing the package alone stays cheap.
"""

__version__ = "0.1.0"
