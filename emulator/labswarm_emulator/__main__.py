"""Run the emulator alone: `python -m labswarm_emulator`."""

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from labswarm_emulator.emulator import REGION, Settings
from labswarm_emulator.latency import FAST, PROFILES

PORT = 5060
MOST_CONCURRENCY = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the emulator until Ctrl-C or SIGTERM. Return 0, or 2 if it cannot start."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        with _state_folder(options.state_dir) as folder:
            return _serve(options, folder)
    except _Refused as refused:
        parser.error(str(refused))


class _Refused(Exception):
    """The emulator cannot start with these options; the message says why."""


def _serve(options: argparse.Namespace, folder: Path) -> int:
    # moto takes seconds to import, and --help and a refusal need none of it.
    from labswarm_emulator import server, shell_machines, weight

    weight.shed()
    settings = Settings(
        options.address,
        options.port,
        folder,
        time_scale=options.time_scale,
        latency=options.latency,
        function_concurrency=options.concurrency,
        seed=options.seed,
    )
    try:
        emulator = server.Server(settings, shell_machines.from_settings)
    except OSError as error:
        raise _Refused(
            f"cannot listen on {options.address} port {options.port}: {error.strerror}. "
            "Choose another --port, or 0 for a free one."
        ) from error
    server.serve_until_signal(emulator, announce(emulator.emulator.url))
    return 0


def announce(url: str) -> str:
    """Return the line that says where the emulator is, and how clients find it."""
    return (
        f"The emulator is ready at {url}. For boto3, SAM and the AWS CLI: export "
        f"AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION={REGION} "
        "AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m labswarm_emulator",
        description="Emulate the AWS services that labswarm uses, until Ctrl-C. Every request is "
        "accepted without credentials, and commands run as your user: keep it on loopback.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--address", default="127.0.0.1", help="listen on this address")
    parser.add_argument(
        "--port", type=_port, default=PORT, help="listen on this port, or 0 for a free one"
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        help="keep the record, logs and machines in this folder, not in a temporary one",
    )
    parser.add_argument(
        "--latency",
        choices=sorted(PROFILES),
        default=FAST.name,
        help="add the waits of AWS or none",
    )
    parser.add_argument(
        "--time-scale",
        type=_time_scale,
        default=1.0,
        help="multiply every wait and timeout by this number",
    )
    parser.add_argument(
        "--concurrency",
        type=_concurrency,
        default=1000,
        help="limit how many Lambda events the account runs at once",
    )
    parser.add_argument("--seed", type=int, default=0, help="draw the same latencies again")
    return parser


def _port(text: str) -> int:
    return _whole(text, 0, 65_535, "port")


def _concurrency(text: str) -> int:
    return _whole(text, 1, MOST_CONCURRENCY, "number of events")


def _whole(text: str, least: int, most: int, what: str) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no {what}. Choose a whole number from {least} to {most}."
        )
    return int(text)


def _time_scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time scale. Choose a number above 0, up to 1."
        )
    return scale


@contextlib.contextmanager
def _state_folder(chosen: Path | None) -> Iterator[Path]:
    """Yield the folder for the emulator's state; a temporary one is removed afterwards."""
    if chosen is None:
        with tempfile.TemporaryDirectory(prefix="labswarm-emulator-") as folder:
            yield Path(folder)
        return
    try:
        chosen.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _Refused(f"cannot use --state-dir {chosen}: {error.strerror}.") from error
    if not os.access(chosen, os.W_OK | os.X_OK):
        raise _Refused(f"cannot use --state-dir {chosen}: it is not writable.")
    yield chosen.resolve()


if __name__ == "__main__":
    sys.exit(main())
