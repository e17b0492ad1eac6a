"""The spawner: starts students' servers as Swarm services, each on a seat."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from docker.errors import NotFound
from dockerspawner import SwarmSpawner
from jupyterhub.handlers.pages import SpawnHandler
from traitlets import Float, Instance, default

from labswarm.errors import BadInput
from labswarm.lab_hours.group_labs import WARM_UP_S, GroupLab
from labswarm.notices import key_of
from labswarm.seats import START_WITHIN_S
from labswarm.shortages import FILE as SHORTAGES
from labswarm.shortages import Shortages
from labswarm_hub import reasons, tasks
from labswarm_hub.booked import BookedLabs
from labswarm_hub.ending import asked_to_end
from labswarm_hub.exams import Records, exam_of, for_exam, key_in, with_key
from labswarm_hub.folders import make_folder, mounts
from labswarm_hub.homes import make_exam_home, make_home, set_settings_aside
from labswarm_hub.hours import Hours, charged
from labswarm_hub.listening import listens
from labswarm_hub.profiles import CLEAN, options_form, options_from_form
from labswarm_hub.refusals import Refusals
from labswarm_hub.seating import KEPT_S, Seating
from labswarm_hub.settings import Group, HubSettings
from labswarm_hub.start_failed import StartFailed
from labswarm_hub.task_spec import HOME, USER_LABEL, Server, home_of, service_spec
from labswarm_hub.waits import Line, Wait, Waits, newly_open

# Seconds that a task may wait for its node before another node is chosen.
_PIN_PATIENCE_S = 5.0
# Most age of a listing that polls share, in seconds: usually, and when the Swarm answers slowly.
_POLLED_AGE_S, _OLDEST_S = 1.0, 5.0
# From the start of its task to its first answer: a whole class may start on one node. JupyterHub's
# http_timeout stays short, because a hub that restarts waits that long for a server on a lost node,
# and until then the student can start no other.
_ANSWERS_WITHIN_S = 120.0
# A start fails after so many nodes, or tries on one node, on which its task ended before it ran.
_TRIES = 4
# A start that failed on one machine is tried again on another one, once.
_STARTS = 2
# The hub's host writes the shortages every 30 s; this often they are read (s).
_SHORTAGES_EVERY_S = 5.0
# A page that has not asked for so long is closed (s).
_LOOKED_AT_S = 30.0
# A server that agrees to end does so in a second; after this time its node ends it.
_ENDS_WITHIN_S = 5.0


@dataclass(frozen=True)
class Listing:
    """The Swarm's nodes and all students' tasks, requested at `at`; the request took `took` s."""

    at: float
    took: float
    nodes: tuple[tasks.Node, ...]
    tasks: tuple[tasks.Task, ...]


class LabswarmSpawner(SwarmSpawner):  # type: ignore[misc]  # dockerspawner has no types
    """Starts a server on the fullest node with a free seat, or puts it in line for one."""

    settings = Instance(HubSettings, config=True, help="This hub's settings.")
    look_interval = Float(
        0.25,
        config=True,
        help="Seconds between two looks at the Swarm, at least; more where a look takes long.",
    )

    user_options: dict[str, Any]  # of JupyterHub's, which has no types

    # One hub process gives out the seats, and one listing serves every spawner: a class in line
    # would keep the manager busy if each of them asked for itself.
    _seatings: ClassVar[defaultdict[str, Seating]] = defaultdict(Seating)
    _refusals: ClassVar[Refusals] = Refusals()
    _choosing = asyncio.Lock()
    _listing_lock = asyncio.Lock()
    _last_listing: Listing | None = None

    # Each group's starts so far, and its line while there is one.
    _waits: ClassVar[dict[str, Waits]] = {}
    _lines: ClassVar[dict[str, Line]] = {}
    _wait: Wait | None = None
    # The last shortages by the hub's host, and when they were read (monotonic s).
    _shortages: ClassVar[tuple[float, Shortages]] = (-math.inf, Shortages())
    # When a page last asked how this start goes, and the time limit of the start.
    _looked_at = -math.inf
    _limit: asyncio.Timeout

    # The booked labs of the hub's groups, which all spawners ask for.
    _booked: ClassVar[BookedLabs | None] = None
    # Whether the hours of the server are counted.
    _counted: bool = False
    # The exam to which this start belongs.
    _exam: GroupLab | None = None

    # Why the hub stopped a server, by its student and name.
    _whys: ClassVar[dict[tuple[str, str], str]] = {}

    _progress: tuple[int, str] = (5, "Looking for a free seat.")
    # The ids of the nodes on which it ran in this start, and did not answer.
    _failed_on: frozenset[str] = frozenset()
    # The ids and hosts of the nodes on which this start has failed so far.
    _refused_by: tuple[tuple[str, str], ...] = ()

    @property
    def server_of_student(self) -> Server:
        """The server's student and name."""
        return Server(user=self.user.name, name=self.name)

    @property
    def group(self) -> Group:
        """The group of workers for the profile that the student chose.

        The hub keeps the options with the server, so that it starts again in the same group, also
        on another node after its node was lost. Raises BadInput.
        """
        settings: HubSettings = self.settings
        group = settings.group_of(self.user_options)
        if self._exam is None:
            return group
        choice = str(self.user_options.get("profile") or "")
        return for_exam(group, self._records.frozen_image(self._exam, choice, group.image))

    @property
    def _exam_key(self) -> str | None:
        """The key of the exam to which the server belongs, also after a restart of the hub."""
        return key_in(self.user_options)

    @property
    def _records(self) -> Records:
        return Records(self.settings.data_dir / "exams")

    @property
    def _seating(self) -> Seating:
        return self._seatings[self.group.cluster]

    @default("options_form")  # type: ignore[untyped-decorator]  # traitlets has no types here
    def _options_form_of_profiles(self) -> str | Callable[["LabswarmSpawner"], str]:
        # Asked again for each page: a student's groups may have changed.
        return LabswarmSpawner._form if self.settings.profiles else ""

    @staticmethod
    def _form(spawner: "LabswarmSpawner") -> str:
        return options_form(spawner.settings.offered(_groups_of(spawner.user)))

    @default("options_from_form")  # type: ignore[untyped-decorator]  # traitlets has no types here
    def _options_from_profiles(self) -> Any:
        return options_from_form

    @default("apply_user_options")  # type: ignore[untyped-decorator]  # traitlets has no types here
    def _drop_or_refuse_stale_options(self) -> Any:
        return LabswarmSpawner._check_options

    @staticmethod
    def _check_options(spawner: "LabswarmSpawner", options: dict[str, Any]) -> None:
        """Check the options that JupyterHub kept from an earlier start.

        A profile that was removed since is dropped when its student starts by hand and there is
        nothing to choose. Raises StartFailed otherwise: nobody is moved to other workers unasked.
        """
        try:
            spawner.settings.group_of(options)
            chosen = spawner.settings.profiles.get(options.get("profile"))
            if chosen and not chosen.allows(_groups_of(spawner.user)):
                raise StartFailed(reasons.not_for_you(chosen.title), status_code=403)
        except BadInput as error:
            profiles = spawner.settings.profiles
            if profiles or not isinstance(spawner.handler, SpawnHandler):
                titles = [profile.title for profile in profiles.values()]
                reason = reasons.no_such_profile(options.get("profile"), titles)
                raise StartFailed(reason, status_code=400) from error
            spawner.log.warning("Dropping the options %r: %s", options, error)
            spawner.user_options = spawner.orm_spawner.user_options = {}

    @default("object_name")  # type: ignore[untyped-decorator]  # traitlets has no types here
    def _object_name_default(self) -> str:
        """The service's name; not a template, so that no two students share one."""
        return self.server_of_student.service

    async def start(self) -> tuple[str, int]:
        """Start the server; return the address and port of its task.

        Raises StartFailed, also after START_WITHIN_S seconds, and BadInput for an unknown profile.
        Time in line does not count while a page shows it. A start that fails or is cancelled leaves
        no service behind.
        """
        seating = self._seating
        try:
            async with asyncio.timeout(START_WITHIN_S) as self._limit:
                return await self._start(), self.port
        except StartFailed as failed:
            self._at_risk(failed.log_message)
            raise
        except TimeoutError as error:
            reason = self._too_long()
            self._at_risk(reason.operator)
            raise StartFailed(reason) from error
        except Exception as error:
            self.log.exception("Starting %s", self.object_name)
            self._at_risk(repr(error))
            raise StartFailed(reasons.unexpected(error)) from error
        finally:
            seating.settle(self.object_name)

    async def _start(self) -> str:
        """Start the server; return its task's address."""
        self._counted = False
        groups, labs = _groups_of(self.user), await self._labs()
        self._exam = exam_of(labs, groups, time.time())
        self._refuse_beyond_hours([lab for lab in labs if lab.group in groups])
        self._keep_options(with_key(self.user_options, self._exam))
        self._apply_group(self.group)
        self._refused_by = ()
        self._wait, self._failed_on = None, frozenset()
        self._whys.pop((self.user.name, self.name), None)
        self._report(5, "Looking for a free seat.")
        await self._end_service()
        home = home_of(self.settings, self.server_of_student, self._exam_key)
        if self._exam is None:
            await asyncio.to_thread(make_home, home)
        else:
            await asyncio.to_thread(make_exam_home, self.settings.homes, self._exam.key, home.name)
        for name in self.settings.folders:
            await asyncio.to_thread(make_folder, self.settings.homes, name)
        if self._takes_clean_start():
            aside = await asyncio.to_thread(set_settings_aside, home, datetime.now(UTC))
            self.log.info("Settings of %s are set aside in %s", self.user.name, aside)
        for left in reversed(range(_STARTS)):
            try:
                return await self._answering()
            except StartFailed as failed:
                await self._remove_service()
                if left == 0 or not failed.is_of_machine:
                    raise
                self.log.warning("Starting %s again: %s", self.object_name, failed.log_message)
                self._report(5, "Your server did not start on that machine. Trying another one.")
            except BaseException:
                await self._remove_service()
                raise
        raise AssertionError("the last try returns or raises")

    def _takes_clean_start(self) -> bool:
        """Return whether this start is to set the settings aside; the next one is not."""
        options = dict(self.user_options)
        # The hub keeps the options of the last start for the next one.
        if options.pop(CLEAN, None) is not True:
            return False
        self._keep_options(options)
        return True

    def _keep_options(self, options: dict[str, Any]) -> None:
        """Keep these options with the server, if they are others."""
        if options != self.user_options:
            self.user_options = self.orm_spawner.user_options = options

    async def _labs(self) -> tuple[GroupLab, ...]:
        """Return the booked labs of all groups, from yesterday to tomorrow."""
        cls = LabswarmSpawner
        if cls._booked is None:
            cls._booked = BookedLabs.of(self.settings)
        return () if cls._booked is None else await cls._booked.labs()

    @property
    def _hours(self) -> Hours:
        return Hours(self.settings.data_dir / "hours.sqlite")

    def _refuse_beyond_hours(self, own_labs: Iterable[GroupLab]) -> None:
        """Raise StartFailed when the student's hours are used and no lab of the student's is on."""
        most, now = self.settings.hours_per_week, time.time()
        if not most or any(lab.starts - WARM_UP_S <= now < lab.ends for lab in own_labs):
            return
        if self._hours.used_s(self.user.name, now) >= 3600 * most:
            raise StartFailed(reasons.hours_are_used(most), status_code=403)

    async def _count_hours(self) -> None:
        """Count the server's time outside of booked labs, once."""
        begun: datetime | None = self.orm_spawner.started
        if not self.settings.hours_per_week or self._counted or begun is None:
            return
        self._counted = True
        groups = _groups_of(self.user)
        free = [
            replace(lab, starts=lab.starts - WARM_UP_S)
            for lab in await self._labs()
            if lab.group in groups
        ]
        seconds = charged(begun.replace(tzinfo=UTC).timestamp(), time.time(), free)
        self._hours.add(self.user.name, seconds)

    def _at_risk(self, why: str) -> None:
        """Log a failure during an exam, for the alarm."""
        if self._exam_key is not None:
            self.log.error("Exam at risk: %s of %s: %s", self._exam_key, self.user.name, why)

    async def _answering(self) -> str:
        """Start the server on a seat and wait until it answers; return its task's address."""
        task = await self._seated_task()
        seated_at = time.monotonic()
        address = self._address(task)
        try:
            await self._first_answer(address)
        except StartFailed:
            self._failed_on = frozenset({str(task["NodeID"])})
            raise
        self._group_waits.server_answered(time.monotonic() - seated_at)
        return address

    def _too_long(self) -> reasons.Reason:
        """Return why the start did not end in time; a server in line keeps its place."""
        if self._seating.give_up(self.object_name):
            return reasons.no_seat(START_WITHIN_S, KEPT_S)
        return reasons.too_long(START_WITHIN_S, self._progress[1])

    async def stop(self, now: bool = False) -> None:
        """Stop the server: it ends by itself within some seconds, or its node ends it.

        `now` skips the first.
        """
        try:
            if not now:
                await self._end_by_itself()
        finally:
            # From here on JupyterHub has no server any more, also if an error is raised.
            await self._remove_service()
            await self._count_hours()
        self.clear_state()

    async def poll(self) -> int | str | None:
        """Return None while the server runs or starts; else remove its service and say why.

        Without a restart policy the service would start nothing any more.
        """
        task = await self.get_task(min(max(_POLLED_AGE_S, 4 * self._look_s), _OLDEST_S))
        end = "it has no task" if task is None else tasks.end_of(task)
        if end is not None:
            self.log.warning("The server %s has ended: %s", self.object_name, end)
            self._at_risk(f"the server has ended: {end}")
            await self._remove_service()
            await self._count_hours()
        return end

    async def get_task(self, age_s: float | None = None) -> tasks.Task | None:
        """Return the newest task of the server's service, None without one.

        The listing is at most `age_s` seconds old, by default `look_interval`.
        """
        if not self.object_id:
            return None
        since = time.monotonic() - (self.look_interval if age_s is None else age_s)
        listing = await self._listing(since)
        return tasks.newest(listing.tasks, self.object_id)

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield each change of the start's progress; ends with the start."""
        shown = None
        while True:
            self._looked_at = time.monotonic()
            if self._progress != shown:
                shown = self._progress
                yield {"progress": shown[0], "message": shown[1]}
            await asyncio.sleep(0.2)

    def get_env(self) -> dict[str, str]:
        """The server's environment; an admin's own `environment` goes before the settings'."""
        return {
            "JUPYTERHUB_ACTIVITY_INTERVAL": str(self.settings.activity_interval_s),
            **self.settings.environment,
            **super().get_env(),
            "HOME": HOME,
            # labswarm-manager signs notices to this server with it.
            "LABSWARM_NOTICE_KEY": self._key,
            "LABSWARM_IDLE_TIMEOUT_S": str(self.settings.idle_timeout_s),
            "LABSWARM_IDLE_WARNING_S": str(self.settings.idle_warning_s),
            "LABSWARM_ENDS_AT": str(int(self._ends_at)),
            "LABSWARM_HOME_BYTES": str(self.settings.home_bytes or ""),
            # Nothing stops it before the exam's end.
            **(
                {}
                if self._exam is None
                else {"LABSWARM_IDLE_TIMEOUT_S": "", "LABSWARM_ENDS_AT": ""}
            ),
        }

    @property
    def _ends_at(self) -> float:
        """When the culler stops the server for its age (epoch s)."""
        begun: datetime = self.orm_spawner.started  # in UTC, without the zone
        return begun.replace(tzinfo=UTC).timestamp() + int(self.settings.longest_server_s)

    @classmethod
    def why_stopped(cls, user: Any) -> dict[str, str]:
        """Return why the hub stopped servers of the user who looks at a page, by server name."""
        name = getattr(user, "name", None)
        return {server: why for (student, server), why in cls._whys.items() if student == name}

    @property
    def _folders(self) -> list[dict[str, Any]]:
        """The mounts of the folders that this student may see."""
        groups, admin = _groups_of(self.user), bool(getattr(self.user, "admin", False))
        return list(mounts(self.settings.folders, self.settings.homes, groups, admin=admin))

    @property
    def _key(self) -> str:
        token = self.settings.manager_token_file.read_text().strip()
        return key_of(token, self.user.name, self.name)

    async def _seated_task(self) -> tasks.Task:
        """Wait for a seat, start there, and return the running task."""
        while True:
            node_id = await self._place()
            task = await self._running_task(node_id)
            if task is not None:
                return task

    async def _place(self) -> str | None:
        """Create the service on a free seat or in line; return the node's id, if any.

        A service in line that still gets no seat stays as it is.
        """
        name = self.object_name
        async with self._choosing:
            listing = await self._listing(since=time.monotonic() - self.look_interval)
            left_out = self._refusals.left_out(name, time.monotonic())
            nodes = [
                node
                for node in tasks.seated_of(
                    listing.nodes, self.group, self.settings.cluster, listing.tasks
                )
                if node.node_id not in left_out
            ]
            # The server itself may be at fault: it does not wait for another machine.
            others = [node for node in nodes if node.node_id not in self._failed_on]
            if self._seating.free(others, listing.tasks):
                nodes = others
            node_id = self._seating.take(name, nodes, listing.tasks)
            self._follow_line([node.node_id for node in nodes if node.open], node_id)
            if node_id is None and self.object_id:
                return None
            await self._remove_service()
            await self._create_service(node_id)
        if node_id is None:
            self.log.warning("No free seat for %s, %d waiting", name, self._seating.waiting)
        else:
            host = self._host_of(node_id, listing)
            self.log.info("Starting %s on %s (%s)", name, host, node_id)
            self._report(50, f"Found a seat. Starting your server on node {host}.")
        return node_id

    async def _running_task(self, node_id: str | None) -> tasks.Task | None:
        """Return the task once it runs; None when it has to be placed again.

        That is after one look for a server in line, or when its node did not start it.
        """
        placed_at = time.monotonic()
        while True:
            looked_at = time.monotonic()
            await self._next_look()
            if node_id is None:
                self._report_line()
                return None
            listing = await self._listing(since=looked_at)
            task = tasks.newest(listing.tasks, self.object_id)
            if task is None:
                continue
            end = tasks.end_of(task)
            if end is not None:
                self._refuse(node_id, self._host_of(node_id, listing), end)
                return None
            if tasks.state(task) == "running":
                self._refusals.ran(node_id)
                self._report(80, "Your server runs. Waiting for its first answer.")
                return task
            refused = tasks.state(task) == "pending"
            if refused and time.monotonic() - placed_at > _PIN_PATIENCE_S:
                self.log.warning("Node %s did not take %s", node_id, self.object_name)
                self._report(5, "That seat is gone. Looking for another one.")
                return None

    def _follow_line(self, open_nodes: Iterable[str], node_id: str | None) -> None:
        """Note when the group's line begins, when a new node ends its wait, and when it is over."""
        group, now = self.group.cluster, time.monotonic()
        if node_id is None and self._wait is None:
            if self._seating.waiting == 1:  # an earlier line may have ended without a seat
                self._lines.pop(group, None)
            self._lines.setdefault(group, Line(now, frozenset(open_nodes)))
            self._wait = Wait(now)
        line = self._lines.get(group)
        if line is None:
            return
        if newly_open(line, open_nodes):
            if not line.short:
                self._group_waits.node_opened(now - line.began)
            self._lines[group] = Line(now, frozenset(open_nodes))
        if self._seating.waiting == 0:
            del self._lines[group]

    def _report_line(self) -> None:
        """Say how long the wait is. It has no limit while a page shows it."""
        now = time.monotonic()
        line = self._lines.get(self.group.cluster)
        if self._wait is not None and line is not None:
            place = self._seating.place(self.object_name)
            next_try_s = self._next_try_s()
            if next_try_s is not None:
                line.short = True
            progress = self._wait.look(
                self._group_waits, line, place, self._node_seats, now, next_try_s
            )
            self._report(progress.percent, progress.words)
        if now - self._looked_at < _LOOKED_AT_S:
            self._limit.reschedule(asyncio.get_running_loop().time() + START_WITHIN_S)

    def _next_try_s(self) -> float | None:
        """The seconds until AWS tries again to get a machine for this group; 0 or less where that
        is not known, None where AWS has machines or the hub's host does not say."""
        cls = LabswarmSpawner
        read_at, known = cls._shortages
        if time.monotonic() - read_at > _SHORTAGES_EVERY_S:
            known = Shortages.read(self.settings.data_dir / SHORTAGES)
            cls._shortages = (time.monotonic(), known)
        next_try = known.next_try(self.group.cluster, time.time())
        return None if next_try is None else next_try - time.time()

    @property
    def _group_waits(self) -> Waits:
        group = self.group.cluster
        if group not in self._waits:
            file = self.settings.data_dir / f"starts-{group}.json"
            self._waits[group] = Waits.read(file)
        return self._waits[group]

    @property
    def _node_seats(self) -> int:
        """The seats of the group's largest node; 1 where none is listed."""
        listing = self._last_listing
        nodes = listing.nodes if listing else ()
        seated = tasks.seated_of(nodes, self.group, self.settings.cluster)
        return max((node.seats for node in seated), default=1)

    def _apply_group(self, group: Group) -> None:
        """Use the group's image, memory and CPU, which the server also reads in its environment."""
        self.image = group.image
        self.mem_guarantee, self.mem_limit = group.seat.memory_bytes, group.limit.memory_bytes
        self.cpu_guarantee, self.cpu_limit = group.seat.nano_cpus / 1e9, group.limit.nano_cpus / 1e9

    def _refuse(self, node_id: str, host: str, end: str) -> None:
        """Count an end before the task ran. Raises StartFailed when it was the last try."""
        self._refusals.ended(node_id, self.object_name, time.monotonic())
        self._refused_by = (*self._refused_by, (node_id, host))
        say = self.log.error if self._refusals.refuses(node_id) else self.log.warning
        say("Node %s did not start %s: %s", host, self.object_name, end)
        if len(self._refused_by) >= _TRIES:
            hosts = [host for _, host in self._refused_by]
            raise StartFailed(reasons.nodes_refused(hosts, end))
        self._report(5, "That machine could not start your server. Trying another one.")

    def _address(self, task: tasks.Task) -> str:
        address = tasks.address(task, self.settings.network)
        if address is None:
            raise RuntimeError(f"the task has no address on network {self.settings.network}")
        return address

    async def _first_answer(self, address: str) -> None:
        """Wait until the server listens; raises RuntimeError when it ends or takes too long.

        The hub's own wait, which follows, looks ever less often and not at the task.
        """
        deadline = time.monotonic() + _ANSWERS_WITHIN_S
        while not await listens(address, self.port):
            end = await self.poll()
            if end is not None:
                raise StartFailed(reasons.ended_before_answer(str(end)))
            if time.monotonic() > deadline:
                raise StartFailed(reasons.no_answer(_ANSWERS_WITHIN_S))
            await self._next_look()

    async def _create_service(self, node_id: str | None) -> None:
        """Create the server's service. Raises APIError when Swarm refuses it."""
        spec = service_spec(
            self.settings,
            self.group,
            self.server_of_student,
            node_id,
            args=[*(self.cmd or self.settings.command), *self.get_args()],
            environment=self.get_env(),
            refused_by=[node_id for node_id, _ in self._refused_by],
            # An exam has no folder in which students could meet.
            folders=self._folders if self._exam_key is None else (),
            exam=self._exam_key,
        )
        created = await self.docker("create_service", **spec)
        self.object_id = created["ID"]

    async def _end_by_itself(self) -> None:
        """Let the server end before its service is removed.

        Swarm keeps a task that it removes running for some three seconds, for its network.
        """
        task = await self.get_task()
        address = task and tasks.address(task, self.settings.network)
        if address is None or self.server is None:
            return
        url = f"http://{address}:{self.port}{self.server.base_url}"
        idle_s = await asked_to_end(url, self._key)
        if idle_s is None:
            return
        self._note_why(idle_s)
        deadline = time.monotonic() + _ENDS_WITHIN_S
        while task is not None and not tasks.has_ended(task) and time.monotonic() < deadline:
            await self._next_look()
            task = await self.get_task()

    def _note_why(self, idle_s: float) -> None:
        """Keep why the culler stops this server; nothing when it was somebody else."""
        if time.time() >= self._ends_at:
            self._whys[self.user.name, self.name] = reasons.TOO_OLD
        elif idle_s >= self.settings.idle_timeout_s:
            self._whys[self.user.name, self.name] = reasons.IDLE

    async def _remove_service(self) -> None:
        """Remove the server's service, if there is one."""
        try:
            await self.docker("remove_service", self.object_name)
        except NotFound:
            self.log.debug("No service %s to remove", self.object_name)
        self.object_id = ""

    async def _end_service(self) -> None:
        """Remove an earlier service of this server and wait until none of its tasks can answer.

        Until then the old server could answer in place of the new one.
        """
        await self._remove_service()
        since = time.monotonic()
        while True:
            listing = await self._listing(since)
            if not tasks.lingering(listing.tasks, listing.nodes, self.object_name):
                return
            self._report(5, "Waiting for your last server to end.")
            await self._next_look()
            since = time.monotonic()

    async def _listing(self, since: float) -> Listing:
        """Return the Swarm's nodes and students' tasks as of `since` (monotonic s) or later."""
        cls = LabswarmSpawner
        async with self._listing_lock:
            if cls._last_listing is None or cls._last_listing.at < since:
                now = time.monotonic()
                nodes, all_tasks = await asyncio.gather(
                    self.docker("nodes"), self.docker("tasks", filters={"label": USER_LABEL})
                )
                took = time.monotonic() - now
                cls._last_listing = Listing(now, took, tuple(nodes), tuple(all_tasks))
            return cls._last_listing

    async def _next_look(self) -> None:
        """Wait until the next look; the hub spends at most a third of its time on looks."""
        await asyncio.sleep(max(self.look_interval, min(2 * self._look_s, _OLDEST_S)))

    @property
    def _look_s(self) -> float:
        """Seconds that the last look took."""
        return self._last_listing.took if self._last_listing else 0.0

    @staticmethod
    def _host_of(node_id: str, listing: Listing) -> str:
        return next(
            str(node["Description"]["Hostname"]) for node in listing.nodes if node["ID"] == node_id
        )

    def _report(self, percent: int, message: str) -> None:
        self._progress = (percent, message)


def _groups_of(user: Any) -> frozenset[str]:
    """Return the names of the hub's groups that a user is in."""
    return frozenset(group.name for group in getattr(user, "groups", ()))
