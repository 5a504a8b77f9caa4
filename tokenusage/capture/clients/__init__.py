"""The hooks: one for each client library, put on and taken off by `instrument`."""
