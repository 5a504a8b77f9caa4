import pytest
from writing import run_python

import tokenusage


def test_importing_the_package_loads_the_standard_library_at_most() -> None:
    """An application that imports tokenusage and logs nothing pays nothing."""
    printed = run_python("""
        import sys
        import tokenusage
        print(*{name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names)
    """)

    # Of site's own: what makes editable installs work.
    strangers = [name for name in printed.split() if not name.startswith(("_", "sitecustomize"))]
    assert set(strangers) <= {"tokenusage", "orjson"}


def test_logging_never_loads_the_reading_half() -> None:
    """A worker that only logs stays small: no pandas, pyarrow, rich or typer."""
    run_python("""
        import sys, tempfile
        from tokenusage import Tracker
        with tempfile.TemporaryDirectory() as logs, Tracker(logs) as tracker:
            assert tracker.record(model_name="gpt-4o-mini", operation_type="x", prompt_tokens=5)
        heavy = {"pandas", "pyarrow", "numpy", "rich", "typer", "tokenusage.read"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """)


def test_saying_whose_calls_they_are_loads_no_library() -> None:
    """A library may use `track` whether or not its application logs anything."""
    run_python("""
        import sys
        import tokenusage
        with tokenusage.track(user_id=1):
            pass
        heavy = {"genai_prices", "pydantic", "httpx", "wrapt", "pandas", "openai"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """)


def test_names_that_do_not_exist_are_said_to() -> None:
    """A lazy package answers a typing error like any other."""
    with pytest.raises(AttributeError, match="no attribute 'traker'"):
        tokenusage.traker  # noqa: B018 (asking is the test)
    assert set(dir(tokenusage)) == set(tokenusage.__all__)


def test_every_public_name_is_there() -> None:
    """What is announced can be had; `load` alone brings the reading half with it."""
    names = [name for name in tokenusage.__all__ if name != "load"]

    assert all(getattr(tokenusage, name) is not None for name in names)
    run_python("from tokenusage import load")
