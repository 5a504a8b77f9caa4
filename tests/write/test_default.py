from pathlib import Path

from writing import run_python


def test_the_default_tracker_is_made_at_first_use_from_configuration(tmp_path: Path) -> None:
    """Importing it reads nothing and costs nothing; the first record finds the configuration."""
    (tmp_path / "tokenusage.toml").write_text('logs = "elsewhere"\nquery_chars = 2\n')
    run_python(
        """
        import os, sys
        from tokenusage import token_tracker, tracker
        assert tracker is token_tracker
        assert not {"genai_prices", "tomllib"} & set(sys.modules)
        os.chdir(sys.argv[1])
        record = tracker.record(model_name="gpt-4o-mini", operation_type="x", query="abc")
        assert record["query"] == "ab", record
        assert tracker.logs.name == "elsewhere"
        assert len(list(tracker.logs.iterdir())) == 1
        """,
        tmp_path,
    )


def test_threads_that_use_it_first_make_it_once(tmp_path: Path) -> None:
    """All threads of a server get the same tracker, whole."""
    run_python(
        """
        import os, sys, threading
        from tokenusage import tracker
        os.chdir(sys.argv[1])
        results = []
        def work():
            results.append((tracker.record(model_name="m", operation_type="x"), id(tracker._ids)))
        threads = [threading.Thread(target=work) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert all(record for record, _ in results)
        assert len({ids for _, ids in results}) == 1
        """,
        tmp_path,
    )


def test_a_wrong_configuration_is_named_at_first_use(tmp_path: Path) -> None:
    """Every use says so until it is mended; nothing is logged to a wrong place meanwhile."""
    run_python(
        """
        import os, sys
        from pathlib import Path
        from tokenusage import ConfigError, Tracker, tracker
        os.chdir(sys.argv[1])
        Path("tokenusage.toml").write_text("qery_chars = 2")
        assert isinstance(tracker, Tracker)
        for _ in range(2):
            try:
                tracker.record(model_name="m", operation_type="x")
            except ConfigError as error:
                assert "query_chars" in str(error)
            else:
                raise AssertionError
        assert not hasattr(tracker, "no_such_thing")
        Path("tokenusage.toml").unlink()
        assert tracker.record(model_name="m", operation_type="x")
        """,
        tmp_path,
    )
