"""``python -m geo`` is ``redmap``."""

from geo.cli import main

main()
