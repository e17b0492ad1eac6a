"""EC2's answers to a group that buys instances, in memory."""

from labswarm.lab_hours.purchases import Market


class TwinPurchases:
    """Implements labswarm.lab_hours.purchases.Purchases for one group.

    `refusals` are the refused launches, each with its time; `bought` the instances on demand."""

    def __init__(self) -> None:
        self.refusals: list[tuple[float, Market]] = []
        self.bought: set[str] = set()

    def refused(self, asg: str, since: float) -> Market | None:
        recent = [one for one in self.refusals if one[0] >= since]
        return max(recent)[1] if recent else None

    def on_demand(self, asg: str) -> frozenset[str]:
        return frozenset(self.bought)
