"""Writing: from the arguments of one call to one whole line in the file of its day.

Nothing here imports the reading half, pandas or pyarrow: an application that
only logs never pays for them.
"""

import logging

# A library that is not asked to speak stays silent.
logging.getLogger("tokenusage").addHandler(logging.NullHandler())
