"""Settings of all tests."""

import os

from hypothesis import settings

# In CI the same examples every time, so that a red run is about the change; at a
# developer's desk new ones every time, so that they go on looking.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

# LiteLLM would fetch its price list when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
