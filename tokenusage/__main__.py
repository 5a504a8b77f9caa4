"""``python -m tokenusage``."""

from tokenusage.cli import main

if __name__ == "__main__":
    main()
