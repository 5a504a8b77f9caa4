"""Forgetting a person: in every form that a day can have, so that only figures stay."""
