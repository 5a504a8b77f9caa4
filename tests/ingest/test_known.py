from datetime import date
from pathlib import Path

import orjson
from support import record, write_day

from tokenusage.ingest.known import known_ids


def test_ids_in_a_dirty_log_are_found(tmp_path: Path) -> None:
    """Ids are read past broken lines and of salvaged records; a torn record has none."""
    whole = orjson.dumps(record(id="glued"))
    path = write_day(tmp_path, "2026-11-20", [b"\xff\x00", record(id=7), b'{"timest' + whole])
    with path.open("ab") as file:
        file.write(orjson.dumps(record(id="torn"))[:-1])
    write_day(tmp_path, "2026-11-20.host-1-ab", [record(id="spilled")])
    write_day(tmp_path, "2026-11-21", [record(id="tomorrow")])
    assert known_ids(tmp_path, date(2026, 11, 20)) == {"7", "glued", "spilled"}
    assert known_ids(tmp_path / "none", date(2026, 11, 20)) == set()
