"""Giving back what was logged: as lines, byte for byte, or as typed rows, each call once."""
