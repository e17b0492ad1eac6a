"""One Auto Scaling group in memory."""

from dataclasses import dataclass, field, replace

from labswarm.errors import Permanent
from labswarm.groups import IN_SERVICE, Group, Member, Mix, Roster, Size

ASG = "labswarm-lab-workers"


@dataclass
class TwinGroups:
    """Implements labswarm.groups.Groups for one group; `asked` has the requests in order."""

    members: dict[str, Member] = field(default_factory=dict)
    held: Size = field(default_factory=lambda: Size(desired=2, most=4))
    asked: list[str] = field(default_factory=list)
    least: int = 0
    mix: Mix | None = None

    def member(self, instance_id: str) -> Member | None:
        return self.members.get(instance_id)

    def size(self, asg: str) -> Size:
        if asg != ASG:
            raise Permanent(f"there is no group {asg}; apply the cluster's stack")
        return self.held

    def roster(self, asg: str) -> Roster:
        desired = self.size(asg).desired
        return Roster(desired, {name: member.state for name, member in self.members.items()})

    def view(self, asg: str) -> Group:
        size = self.size(asg)
        states = self.roster(asg).states
        in_service = frozenset(name for name, state in states.items() if state == IN_SERVICE)
        pending = frozenset(name for name, state in states.items() if state.startswith("Pending"))
        return Group(size.desired, self.least, size.most, in_service, pending=pending, mix=self.mix)

    def resize(self, asg: str, desired: int) -> None:
        assert desired <= self.size(asg).most
        self.held = Size(desired, self.held.most)
        self.asked.append(f"resize {desired}")

    def buy_on_demand(self, asg: str, base: int) -> bool:
        if self.view(asg).mix is None or self.mix is None:
            raise Permanent(f"there is no group {asg} with a mixed instances policy")
        if self.mix.base == base:
            return False
        self.mix = replace(self.mix, base=base)
        self.asked.append(f"buy {base}")
        return True

    def terminate(self, instance_id: str) -> None:
        self.members[instance_id] = Member(self.members[instance_id].asg, "Terminating:Wait")
        self.asked.append(f"terminate {instance_id}")

    def shrink(self, instance_id: str) -> bool:
        if instance_id not in self.members or self.held.desired <= self.least:
            return False
        self.terminate(instance_id)
        self.held = Size(self.held.desired - 1, self.held.most)
        self.asked[-1] = f"shrink {instance_id}"
        return True
