"""Sealing a day: lines into columns that give every line back, and the proof of it."""
