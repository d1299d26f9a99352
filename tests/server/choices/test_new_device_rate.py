"""A caller has a limit of new devices stored in one second, and others are not affected."""

from server.choices.new_device_rate import NewDeviceRate


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_each_caller_has_a_number_of_its_own_in_each_second() -> None:
    clock = Clock()
    rate = NewDeviceRate(clock)
    assert [rate.allows("a", 2) for _ in range(3)] == [True, True, False]
    assert rate.allows("b", 2)
    clock.now_s += 1
    assert rate.allows("a", 2)


def test_none_at_all() -> None:
    assert not NewDeviceRate(Clock()).allows("a", 0)


def test_callers_are_not_remembered_without_bound() -> None:
    rate, remembered = NewDeviceRate(Clock()), []
    for number in range(5_000):
        assert rate.allows(str(number), 1)
        remembered.append(len(rate._counts))
    assert max(remembered) == 1024
