"""Rules, awards and campaign texts in words."""

from __future__ import annotations

import pytest

from services.paging import Page, paged
from services.profiles import Line
from tasks.campaign import load
from tests.web.town import CAMPAIGN
from web import rules_in_words
from web.charts import Series, day_chart
from web.claim_views import check_title, subject_in_words
from web.markdown import first_words, rendered
from web.workings import working_of

RULES = load(CAMPAIGN)


def line(reason: str, *, provisional: bool = False, **working: object) -> Line:
    return Line("claim", None, "deploy", 0, reason, working, provisional)


@pytest.mark.parametrize(
    ("given", "rows", "note"),
    [
        (
            line("awarded", base_micro=40_000_000, percent=50, step=2, task_left_micro=10**9),
            [("Amount of the task", "40.00"), ("times the share paid at that time", "50\u00a0%")],
            "50 % of 40 USD at that time.",
        ),
        (
            line("partly_awarded", base_micro=40_000_000, percent=100, budget_left_micro=7_000_000),
            [
                ("Amount of the task", "40.00"),
                ("times the share paid at that time", "100\u00a0%"),
                ("at most what was left of the campaign's budget", "7.00"),
            ],
            "was all that was left",
        ),
        (
            line("overflow", base_micro=40_000_000, percent=50, overflow_percent=10, overflow_left_micro=10**9),
            [
                ("Amount of the task", "40.00"),
                ("times the share paid at that time", "50\u00a0%"),
                ("times the share without a place", "10\u00a0%"),
            ],
            "Work without a place gets 10 % of its amount here",
        ),
        (
            line("slots_full", slot={"line": 1, "max": 20, "taken": 20, "last_claim": "a" * 32}),
            [],
            "No place left of 20.",
        ),
        (line("subject_taken", held_by={"claim": "b" * 32}), [], "claim bbbbbbbbbbbb holds it"),
        (line("ineligible", ineligible_reason="decision 3"), [], "Not payable."),
        (line("awarded", provisional=True), [], "Its place is held while the rest is checked."),
        (line("something_new"), [], "Something new."),
    ],
    ids=["plain", "cut", "overflow", "full", "taken", "ineligible", "provisional", "unknown-reason"],
)
def test_working__each_reason__reads_like_arithmetic(given: Line, rows: list[tuple[str, str]], note: str) -> None:
    made = working_of(given, "USD", 5)
    assert [(row.words, row.number) for row in made.rows] == rows
    assert note in made.note
    assert made.amount_micro == 5


def test_rules__every_task__has_its_sentences() -> None:
    by_slug = {task.slug: rules_in_words.reward_rules(task, RULES) for task in RULES.tasks}
    assert by_slug["onboard"] == [
        "3 places.",
        "2 places with GPU class consumer.",
        "Together at most 9,000.00 USD.",
    ]
    facts = {fact.label: fact.value for fact in rules_in_words.parameters(RULES.tasks[1].params)}
    assert facts["Uptime at least"] == "95.0\u00a0%"
    assert facts["We look every"] == "5 minutes"
    assert facts["Observed for at least"] == "3 days"


def test_rules__unknown_parameter__is_still_readable() -> None:
    facts = rules_in_words.parameters({"some_new_wait_ns": 60 * 10**9, "other_flag": True, "names": ("a", "b")})
    assert [(fact.label, fact.value, fact.items) for fact in facts] == [
        ("Some new wait", "1 minute", ()),
        ("Other flag", "yes", ()),
        ("Names", "", ("a", "b")),
    ]


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("<img src=x onerror=alert(1)>", "<img"),
        ("[click](javascript:alert(1))", "href"),
        ("![picture](https://elsewhere.example/x.png)", "<img"),
        ("<https://safe.example> <b>x</b>", "<b>"),
        ("[a](data:text/html;base64,xx)", "href"),
    ],
)
def test_markdown__hostile__stays_text(text: str, never: str) -> None:
    assert never not in rendered(text)


def test_first_words__marks_and_length__are_cut() -> None:
    assert first_words("Run **AI apps** on `GPUs`,\nsoon.\n\nMore.") == "Run AI apps on GPUs, soon."
    assert first_words("word " * 100, 20) == "word word word word …"


def test_claim_words__names_and_subjects__are_shortened() -> None:
    assert check_title("leases_on_providers") == "Leases on providers"
    assert subject_in_words(f"akash1{'q' * 38}/falcon") == "akash1qqqq…qqqqqq / falcon"


@pytest.mark.parametrize(
    ("page", "pages", "near"),
    [
        (1, 1, [1]),
        (1, 4, [1, 2, 3, 4]),
        (1, 9, [1, 2, 3, None, 9]),
        (5, 9, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (9, 20, [1, None, 7, 8, 9, 10, 11, None, 20]),
    ],
)
def test_pager__each_place__shows_ends_and_neighbours(page: int, pages: int, near: list[int | None]) -> None:
    assert Page([0], page, 10, pages * 10).near() == near


def test_paged__past_the_end__is_empty() -> None:
    page = paged([1, 2, 3], 9, 2)
    assert (list(page.items), page.total, page.first, page.last) == ([], 3, 0, 0)


@pytest.mark.parametrize("values", [[], [0], [1], [3, 7, 2], [10**9]], ids=["none", "zero", "one", "some", "huge"])
def test_chart__any_values__axis_begins_at_zero(values: list[int]) -> None:
    points = tuple((f"2026-03-{day + 1:02d}", value) for day, value in enumerate(values))
    svg = day_chart(Series("T", "things", points), "light", "wide").decode()
    assert svg.startswith("<svg")
    assert ">0</text>" in svg
