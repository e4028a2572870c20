"""``python -m geo.sample FOLDER [--seed N]``: write the sample district."""

from __future__ import annotations

import argparse
from pathlib import Path

from geo.sample import SEED, write_sample


def main() -> None:
    """Read the call and write."""
    parser = argparse.ArgumentParser(prog="python -m geo.sample", description=__doc__)
    parser.add_argument("folder", type=Path, help="写到哪个文件夹 / where to write")
    parser.add_argument("--seed", type=int, default=SEED, help="随机种子 / random seed")
    call = parser.parse_args()
    write_sample(call.folder, seed=call.seed)


if __name__ == "__main__":
    main()
