"""Bookings in memory: the twin of the table, held to the same contract suite."""

from labswarm.lab_hours.bookings import BookingsRead, StoredBooking, next_version


class MemoryBookings:
    """Implements labswarm.lab_hours.bookings.Bookings for one process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], StoredBooking] = {}

    def read_bookings(self, cluster: str) -> BookingsRead:
        found = [kept for kept in self._kept.values() if kept.cluster == cluster]
        return BookingsRead(tuple(sorted(found, key=lambda one: one.id)))

    def write_booking(self, booking: StoredBooking) -> StoredBooking | None:
        if not self._is_as_read(booking):
            return None
        written = next_version(booking)
        self._kept[booking.cluster, booking.id] = written
        return written

    def remove_booking(self, booking: StoredBooking) -> bool:
        if not booking.version or not self._is_as_read(booking):
            return False
        del self._kept[booking.cluster, booking.id]
        return True

    def _is_as_read(self, booking: StoredBooking) -> bool:
        kept = self._kept.get((booking.cluster, booking.id))
        return (kept.version if kept else 0) == booking.version
