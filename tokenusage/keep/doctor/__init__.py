"""Looking a log directory over: what is wrong with it, in order of weight, and what mends it."""
