"""From day files to a frame of calls and a ledger of every line."""
