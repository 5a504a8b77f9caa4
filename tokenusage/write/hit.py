"""What a hit of the application's own cache says in a record."""

from tokenusage.errors import RecordError
from tokenusage.record import OptionalFields
from tokenusage.write.checks import OPTIONAL_CHECKS
from tokenusage.write.fields import check_names


def hit_fields(level: str, given: OptionalFields) -> OptionalFields:
    """Return the optional fields of a hit in the cache `level`, those that are `given` too.

    Raises:
        RecordError: `level` is no text, or empty: that would be a record of a call.
        TypeError: a name that is no optional field, or that of the level.
    """
    if "cache" in given:
        raise TypeError("The cache's name is given as level.")
    check_names(given, OPTIONAL_CHECKS.keys())
    if not isinstance(level, str) or not level:
        raise RecordError("level must be a str that names the cache, such as 'session'.")
    return {**given, "cache": level}
