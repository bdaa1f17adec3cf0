"""Numbers, times and names as LOOK "Numbers" writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.moment import SECOND, parse_moment
from web import formats

HOUR = 3600 * SECOND
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("micro", "unit", "shown", "exact"),
    [
        pytest.param(1_234_500_000, "USD", "1,234.50 USD", "1,234.50 USD", id="two-decimals"),
        pytest.param(1_234_567_891, "USD", "1,234.56 USD", "1,234.567891 USD", id="cut-exact-in-title"),
        pytest.param(1_451_235_294, "AKT", "1,451.235294 AKT", "1,451.235294 AKT", id="akt-six"),
        pytest.param(1_000_000, "AKT", "1.000000 AKT", "1.00 AKT", id="akt-whole"),
        pytest.param(0, "USD", "0.00 USD", "0.00 USD", id="zero"),
        pytest.param(-50_000_000, "USD", "-50.00 USD", "-50.00 USD", id="correction"),
        pytest.param(-19_999, "USD", "-0.01 USD", "-0.019999 USD", id="negative-cut-towards-zero"),
    ],
)
def test_amount__each_unit__shows_and_keeps_the_exact_value(micro: int, unit: str, shown: str, exact: str) -> None:
    assert formats.amount(micro, unit) == shown
    assert formats.exact_amount(micro, unit) == exact


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_exact_amount__any_value__reads_back(micro: int) -> None:
    text = formats.exact_amount(micro, "USD").removesuffix(" USD").replace(",", "")
    whole, decimals = text.lstrip("-").split(".")
    value = int(whole) * 1_000_000 + int(decimals.ljust(6, "0"))
    assert (-value if text.startswith("-") else value) == micro


@pytest.mark.parametrize(
    ("nanoseconds", "short", "long"),
    [
        pytest.param(3 * DAY + 4 * HOUR + 59 * 60 * SECOND, "3 d 4 h", "3 days 4 hours", id="days"),
        pytest.param(3 * DAY + 59 * 60 * SECOND, "3 d", "3 days", id="days-no-hours"),
        pytest.param(4 * HOUR + 12 * 60 * SECOND, "4 h 12 min", "4 hours 12 minutes", id="hours"),
        pytest.param(10 * 60 * SECOND, "10 min", "10 minutes", id="minutes"),
        pytest.param(61 * SECOND, "1 min 1 s", "1 minute 1 second", id="one-each"),
        pytest.param(SECOND // 2, "0 s", "0 seconds", id="below-a-second"),
        pytest.param(-5, "0 s", "0 seconds", id="negative"),
    ],
)
def test_duration__each_size__two_largest_parts(nanoseconds: int, short: str, long: str) -> None:
    assert formats.duration(nanoseconds) == short
    assert formats.duration_long(nanoseconds) == long


def test_times__a_moment__is_written_in_utc() -> None:
    moment = parse_moment("2026-11-24T14:05:59.999999999Z")
    assert formats.utc(moment) == "2026-11-24 14:05 UTC"
    assert formats.utc_seconds(moment) == "2026-11-24 14:05:59 UTC"
    assert formats.utc_day(moment) == "2026-11-24"


@pytest.mark.parametrize(
    ("distance", "text"),
    [(3 * DAY, "in 3 d"), (-(2 * HOUR + 5 * 60 * SECOND), "2 h 5 min ago"), (0, "now")],
    ids=["ahead", "behind", "now"],
)
def test_until__each_side__says_which(distance: int, text: str) -> None:
    now = 1_700_000_000 * SECOND
    assert formats.until(now + distance, now) == text


def test_short_address__long_and_short__keeps_both_ends() -> None:
    address = "akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63"
    assert formats.short_address(address) == "akash1365y…nmlx63"
    assert formats.short_address("akash1short") == "akash1short"


def test_small_words__counts_sizes_shares__read_naturally() -> None:
    assert [formats.counted(n, "lease") for n in (0, 1, 2463)] == ["0 leases", "1 lease", "2,463 leases"]
    assert formats.counted(2, "entry", "entries") == "2 entries"
    assert [formats.size(n) for n in (512, 1536, 3 * 1024 * 1024)] == ["512 B", "1.5 KiB", "3.0 MiB"]
    assert formats.permille(953) == "95.3\u00a0%"
    assert formats.percent(50) == "50\u00a0%"
    assert formats.integer(27_456_789) == "27,456,789"


def test_plain_times__in_a_sentence__are_written_as_pages_do() -> None:
    text = "created from 2026-11-11T13:00:00Z and before 2026-11-17T13:00:00.000000001Z, not 2026-11-17"
    assert (
        formats.plain_times(text)
        == "created from 2026-11-11 13:00 UTC and before 2026-11-17 13:00 UTC, not 2026-11-17"
    )


def test_took__each_size__has_its_unit() -> None:
    assert [formats.took(n) for n in (0, 12_345_678, 999_999_999, SECOND, 20 * SECOND + 1)] == [
        "0 ms",
        "12 ms",
        "999 ms",
        "1.0 s",
        "20.0 s",
    ]
