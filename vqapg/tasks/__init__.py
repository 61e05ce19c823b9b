"""What fairseq runs. fairseq imports this folder of a user-dir first, so whatever it must know is set up here."""

import logging

from vqapg import criterions  # noqa: F401  registers the criterions, which fairseq does not look for by itself
from vqapg.tasks.fairseq_patches import patch_fairseq
from vqapg.tasks.one_line_errors import report_errors

# Some fairseq commands leave logging at its lowest level, where h5py tells of every conversion.
logging.getLogger("h5py").setLevel(logging.INFO)
patch_fairseq()
report_errors()
