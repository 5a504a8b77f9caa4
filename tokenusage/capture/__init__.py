"""Capture: hooks around the clients' calls, and the one way from a payload to tokens."""
