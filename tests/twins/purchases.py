"""EC2's answers to a group that buys instances, in memory."""

from labswarm.lab_hours.purchases import Refusal


class TwinPurchases:
    """Implements labswarm.lab_hours.purchases.Purchases for one group.

    `refused` are the refused launches; `bought` the instances on demand."""

    def __init__(self) -> None:
        self.refused: list[Refusal] = []
        self.bought: set[str] = set()

    def refusals(self, asg: str, since: float) -> tuple[Refusal, ...]:
        return tuple(sorted(one for one in self.refused if one.at >= since))

    def on_demand(self, asg: str) -> frozenset[str]:
        return frozenset(self.bought)
