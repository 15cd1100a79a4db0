"""When a burst of feedback is over."""

from aigw.feedback._gathering import LULL_SECONDS, MOST_SECONDS, Gathering


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def made():
    clock = Clock()
    return clock, Gathering(clock)


def test_nothing_waits_where_nothing_came():
    _, gathering = made()
    assert gathering.pause(0) == 0


def test_a_burst_ends_when_nothing_came_for_a_moment():
    clock, gathering = made()
    assert gathering.pause(1) == LULL_SECONDS
    clock.now += LULL_SECONDS
    assert gathering.pause(7) == LULL_SECONDS
    clock.now += LULL_SECONDS
    assert gathering.pause(7) == 0


def test_a_burst_that_does_not_end_is_sent_all_the_same():
    clock, gathering = made()
    count = 0
    while gathering.pause(count := count + 1):
        clock.now += LULL_SECONDS
    assert MOST_SECONDS <= clock.now - 100 <= MOST_SECONDS + 2 * LULL_SECONDS


def test_who_asks_while_another_gathers_waits_as_long():
    clock, gathering = made()
    gathering.pause(1)
    clock.now += LULL_SECONDS / 4
    assert 0 < gathering.pause(1) < LULL_SECONDS


def test_sending_goes_on_for_a_while_before_the_next_burst_is_let_in():
    clock, gathering = made()
    gathering.pause(1)
    clock.now += LULL_SECONDS
    assert (gathering.pause(1), gathering.pause(2)) == (0, 0)
    clock.now += MOST_SECONDS
    assert gathering.pause(3) == LULL_SECONDS
