"""The option `--every` of a service that looks again and again."""

import argparse


def add_every(parser: argparse.ArgumentParser, default_s: float) -> None:
    """Add the option: 0.5 to 60 seconds."""
    parser.add_argument(
        "--every", type=_seconds, default=default_s, metavar="S", help="look every S seconds"
    )


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.5 <= value <= 60:
        raise argparse.ArgumentTypeError(f"{text} is not from 0.5 to 60")
    return value
