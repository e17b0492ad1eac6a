"""The emulator as a process: `python -m labswarm_emulator.server --config FILE --machines KIND`.

FILE holds `Settings.to_json()`; port 0 takes a free one. Once it serves, `ready.json` in the state
folder says where: {"url": ..., "pid": ...}.
"""

import argparse
import dataclasses
import importlib
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from labswarm_emulator import (
    autoscaling,
    cloudformation,
    cloudwatch,
    control_api,
    dynamodb,
    ec2,
    events,
    functions,
    kms,
    placement,
    secretsmanager,
    service_quotas,
    shell_machines,
    ssm,
    stepfunctions,
    templates,
    weight,
)
from labswarm_emulator.browsers import without_browsers
from labswarm_emulator.emulator import READY, Emulator, Settings
from labswarm_emulator.links import Links
from labswarm_emulator.machines import Machines
from labswarm_emulator.refusals import with_refusals
from labswarm_emulator.spot import Spot

MachinesFactory = Callable[[Settings], Machines]


class UnknownMachines(ValueError):
    """`--machines` names no factory of machines."""


def machines_factory(name: str) -> MachinesFactory:
    """The maker of the machines: `shell`, or `module:callable` called with the emulator's settings.

    Raises UnknownMachines, which names the problem of `name`.
    """
    if name == "shell":
        return shell_machines.from_settings
    module, _, attribute = name.partition(":")
    if not attribute:
        raise UnknownMachines(f"--machines {name}: say shell, or module:callable")
    try:
        factory: MachinesFactory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UnknownMachines(f"--machines {name}: {error}") from error
    return factory


class Server:
    """One emulator over moto, listening. A process has one, since moto's state is global."""

    def __init__(self, settings: Settings, factory: MachinesFactory) -> None:
        """Take the address. Raises OSError when it cannot be had."""
        # Bound here, because werkzeug ends the process when the port is taken.
        with socket.create_server((settings.address, settings.port)) as bound:
            self._http: BaseWSGIServer = make_server(
                settings.address,
                settings.port,
                DomainDispatcherApplication(create_backend_app),
                threaded=True,
                request_handler=MotoRequestHandler,
                fd=bound.fileno(),
            )
        listening = dataclasses.replace(settings, port=self._http.port)
        self.emulator = Emulator(listening, factory(listening))
        controls = install(self.emulator)
        self._http.app = without_browsers(
            control_api.with_control_api(with_refusals(self._http.app, self.emulator), controls)
        )

    @property
    def _ready(self) -> Path:
        return self.emulator.settings.state_dir / READY

    def serve(self) -> None:
        """Answer requests until `stop`, then end every part."""
        ready = self._ready.with_suffix(".part")
        ready.write_text(json.dumps({"url": self.emulator.url, "pid": os.getpid()}))
        ready.rename(self._ready)
        try:
            self._http.serve_forever()
        finally:
            self._ready.unlink(missing_ok=True)
            for close in self.emulator.closing:
                close()

    def stop(self) -> None:
        """End `serve`; from another thread than the one that serves."""
        self._http.shutdown()


def install(emulator: Emulator) -> control_api.Controls:
    """Extend moto with every part of the emulator; returns the parts next to AWS's APIs."""
    agents = ssm.Agents(emulator)
    ssm.install(emulator, agents)
    ec2.install(emulator, agents)
    for service in (dynamodb, kms, secretsmanager, templates):
        service.install()
    bus = events.install(emulator)
    for part in (
        autoscaling,
        cloudwatch,
        functions,
        cloudformation,
        stepfunctions,
        service_quotas,
        placement,
    ):
        part.install(emulator)
    spot = Spot(emulator)
    spot.install()
    return control_api.Controls(
        spot, Links(emulator, spot, agents), bus, emulator.faults, emulator.record
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve an emulator until SIGTERM or SIGINT. Return 2 for unusable settings."""
    parser = argparse.ArgumentParser(prog="labswarm_emulator.server", description=__doc__)
    parser.add_argument(
        "--config", type=Path, required=True, help="read the emulator's settings (JSON) here"
    )
    parser.add_argument(
        "--machines", required=True, help="make machines by shell, or by module:callable"
    )
    options = parser.parse_args(arguments)
    weight.shed()
    try:
        settings = Settings.parse(options.config.read_text(encoding="utf-8"))
        server = Server(settings, machines_factory(options.machines))
    except (OSError, ValueError, TypeError) as error:
        print(f"emulator: {options.config}: {error}", file=sys.stderr)
        return 2
    serve_until_signal(server, f"The emulator is ready at {server.emulator.url}")
    return 0


def serve_until_signal(server: Server, announcement: str) -> None:
    """Print the announcement and serve until SIGTERM or SIGINT. Call it in the main thread."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request otherwise

    def stop(_number: int, _frame: FrameType | None) -> None:
        # The signal arrives in the thread that serves, which shutdown() would wait for.
        threading.Thread(target=server.stop).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(announcement, flush=True)
    server.serve()


if __name__ == "__main__":
    sys.exit(main())
