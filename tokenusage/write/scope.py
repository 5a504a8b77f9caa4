"""What a record takes from the `track` around it."""

from collections.abc import Mapping
from typing import Any

from tokenusage.context import Scope, merged
from tokenusage.record import OptionalFields
from tokenusage.write.checks import OPTIONAL_CHECKS


def with_scope(scope: Scope, given: OptionalFields) -> OptionalFields:
    """Return the optional fields that are `given`, and those of `scope` where they are unset.

    Tags are merged one by one.
    """
    own = {name: value for name, value in given.items() if value is not None}
    if not isinstance(own.get("tags", {}), Mapping):
        return given  # refused by the checks, in their words
    said: dict[str, Any] = {name: value for name, value in scope.items() if name in OPTIONAL_CHECKS}
    fields: OptionalFields = {**merged(said, own)}  # type: ignore[typeddict-item] # same names
    return fields
