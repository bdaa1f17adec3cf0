"""The archive's members and columns: what the exporter writes and the verifier expects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from services.archive.member import Member, member
from services.archive.payout_members import PAYOUT_BATCHES, PAYOUT_ROWS, PAYOUT_SIGNATURES, PAYOUTS
from services.archive.spot_members import SPOT_CHECKS, SPOT_SEEDS

FORMAT = "waymark-archive"
VERSION = 1
MANIFEST = "manifest.json"
SCHEMA = "schema.json"
REVISION_FILE = re.compile(r"campaign/[0-9]{1,6}\.yaml")


def revision_file(revision: int) -> str:
    """The member that holds a revision's YAML text."""
    return f"campaign/{revision}.yaml"


def canonical(value: object) -> str:
    """JSON with sorted keys, without spaces, not escaped beyond what JSON asks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)


REVISIONS = member(
    "revisions.jsonl",
    "every revision of the campaign; its text is the member `campaign/<revision>.yaml`",
    "revision",
    """
    revision int number of the revision, from 1
    digest text SHA-256 of the campaign's canonical form, hex
    rules_digest text digest of what a participant accepts
    author text who loaded it
    reason text? why, where it was said
    loaded_ns int when it was loaded
    counts_from_ns int from when it counts
    """,
)
REGISTRATIONS = member(
    "registrations.jsonl",
    "who takes part: one line for each participant, named by the registered address",
    "participant",
    """
    participant text the registered address
    rules_digest text? the rules that were accepted; null for one who has claims but no registration
    received_ns int? when the registration was received
    chain_id text? the chain whose newest block was known then
    height int? height of that block
    time_ns int? time of that block: where there is one, it is the time of registration
    """,
)
ADDRESSES = member(
    "addresses.jsonl",
    "every address of every participant, the registered one too",
    "participant linked_ns address",
    """
    participant text whose it is
    address text the address
    linked_ns int when it was linked
    """,
)
CLAIMS = member(
    "claims.jsonl",
    "every claim with all that its judge knows of it besides the verdict's own `revision` and `addresses`",
    "id",
    """
    id text first 32 hex digits of sha256 of campaign, participant, task and subject joined by newlines
    participant text whose claim it is
    task text slug of the task
    kind text kind of the task
    subject text the thing in the world that it is about
    fields object what was entered or found, all values texts; a free text of a reviewed task is its SHA-256
    received_ns int when it was received
    found bool whether we found it on the chain, else it was entered
    verdict int? id of its newest verdict
    """,
)
BODIES = member(
    "bodies.jsonl",
    "the raw answers, each once; either `text` (UTF-8) or `base64` holds the bytes",
    "digest",
    """
    digest text SHA-256 of the bytes, hex
    size int how many bytes
    text text? the bytes as text, where they are UTF-8
    base64 text? the bytes in base64, where they are not
    """,
)
OBSERVATIONS = member(
    "observations.jsonl",
    "everything that a judge was given; of a restricted one only digests",
    "id",
    """
    id text first 32 hex digits of sha256 of JSON [source, request, status, chain_id, height, trouble, body_digest]
    source text chain, provider, codehost, entered, reviewer, comparison, probes or record
    request text? what was asked; null where restricted
    status int? HTTP status of the answer
    chain_id text? the chain
    height int? the height at which the answer holds
    time_ns int? the time of that block, where it was known
    trouble text? why there is no answer: a trouble of ours
    body_digest text SHA-256 of the raw answer, hex
    host text? who answered; null where restricted
    seen_ns int when it was seen first
    restricted bool whether request and answer stay with us
    verifier text who asked, with the version
    """,
)
VERDICTS = member(
    "verdicts.jsonl",
    "every verdict of every claim, the newest with the highest id",
    "id",
    """
    id int number of the verdict
    claim text id of the claim
    outcome text passed, failed, pending or unknown
    judge text kind of the judge
    version int version of the judge
    as_of object the block it holds at: chain_id, height, time_ns
    revision int? the campaign's newest revision when it was judged
    addresses texts? the participant's addresses when it was judged, the registered one first
    decided_ns int when it was written down
    at_ns int? when the work was done
    height int? the block of the work
    tx_index int? the transaction's place in that block
    attributes object what the reward rules may ask for
    holds_place bool whether it holds its place while something is open
    next_look_ns int? when looking again can change something
    missing texts what is not there yet, for the participant
    checks objects its checks in order: name, expected, seen, outcome, height, time_ns, observations
    observations texts ids of the observations that the judge was given, in that order
    """,
)
REVIEW_STEPS = member(
    "review_steps.jsonl",
    "what people decided about claims, step by step; a person is a random id",
    "claim number",
    """
    claim text id of the claim
    number int the step, counted from 1 for each claim
    act text accept, needs_work, reject, reopen, answer or appeal_won
    name text random id of who decided; empty for the participant
    at_ns int when
    observation text id of the observation that judges read of it
    """,
)
APPEALS = member(
    "appeals.jsonl",
    "appeals with what was decided; the words of the participant stay with us",
    "made_ns id",
    """
    id text name of the appeal
    claim text id of the claim
    about text what it is about
    verdict_id int? the verdict appealed against
    line int? the award line appealed against
    made_ns int when it was made
    outcome text? won or lost; null while it is open
    name text? random id of who decided
    reason text? the published reason
    ruled_ns int? when it was decided
    observation text? id of the observation that judges read of it
    """,
)
ELIGIBILITY = member(
    "eligibility.jsonl",
    "entries on who may earn and be paid; a participant's newest holds; the reasons are not published",
    "id",
    """
    id int number of the entry
    participant text whom it is about
    number int counts the participant's entries from 1
    eligibility text eligible, withheld (award and place stand, payment waits) or ineligible (award 0)
    starts_ns int? from when work is concerned; null: all of it
    at_ns int when it was decided
    """,
)
RESULTS = member(
    "results.jsonl",
    "what became provisional and final, and from which rows",
    "task state",
    """
    task text slug of the task; empty: the pools and bonuses
    state text provisional or final
    at_ns int when
    until_ns int? until when one could appeal
    excepted object claims that were not decided then, each with the organizers' reason
    lines_to int the newest award line then
    verdicts_to int the newest verdict then
    eligibility_to int the newest entry of eligibility then
    """,
)
UPTIME_DAYS = member(
    "uptime_days.jsonl",
    "the sealed days of probes of every provider that is claimed",
    "provider day",
    """
    provider text address of the provider
    day int whole days since 1970-01-01
    every_seconds int how long a slot lasts
    capacities objects GPUs by label; slots from 128 up point at these
    slots text base64, one byte a slot: 0 not probed, 1-63 down, 64-127 not known, from 128 up (verifiers/probes.py)
    digest text SHA-256 of the canonical JSON of the five columns before, hex
    chain_id text the chain whose record of the provider was probed; empty where that was not noted
    """,
)
SUBMITTED_SDLS = member(
    "submitted_sdls.jsonl",
    "every version of an SDL that was written for others, with its text",
    "claim number",
    """
    claim text id of the claim
    number int counts the claim's versions from 1
    received_ns int when it was received
    digest text SHA-256 of the text, hex
    text text the SDL
    pull_request text its link, empty where none was asked
    observation text id of the observation that judges read instead
    """,
)
AWARD_LINES = member(
    "award_lines.jsonl",
    "the reward ledger: it only grows; the sum of a key's lines is what it is awarded now",
    "id",
    """
    id int number of the line
    revision int the campaign's newest revision then
    key text what is awarded: a claim's id, pool/<slug>/<participant>, bonus/<slug>/<place>/<participant>, …
    step int counts the key's lines from 0
    claim text? the claim
    kind text claim, pool, bonus or grant
    slug text? of the pool or bonus
    participant text whose award it is
    task text? slug of the task
    amount_micro int what this line adds, in millionths of the campaign's unit, signed
    reason text the rule that decided (CAMPAIGN_FORMAT, "How awards follow")
    working object every number that played a part
    cause text what led to the line
    corrects int? the line of the same key before it
    position int its place in the sequence when it was worked
    computed_ns int when it was worked
    """,
)
TOTALS = member(
    "totals.jsonl",
    "what everybody has earned, as published with the archive",
    "participant",
    """
    participant text the registered address
    amount_micro int the sum of the participant's lines
    uakt int? its part at the campaign's rate; null without a rate or a positive sum
    """,
)

MEMBERS: tuple[Member, ...] = (
    REVISIONS,
    REGISTRATIONS,
    ADDRESSES,
    CLAIMS,
    BODIES,
    OBSERVATIONS,
    VERDICTS,
    REVIEW_STEPS,
    APPEALS,
    SUBMITTED_SDLS,
    UPTIME_DAYS,
    SPOT_SEEDS,
    SPOT_CHECKS,
    ELIGIBILITY,
    RESULTS,
    AWARD_LINES,
    TOTALS,
    PAYOUTS,
    PAYOUT_ROWS,
    PAYOUT_BATCHES,
    PAYOUT_SIGNATURES,
)
"""In the order in which they stand in the file, behind the manifest, the schema and the campaign's texts."""

BY_NAME: Mapping[str, Member] = {member.name: member for member in MEMBERS}

TYPES: Mapping[str, type] = {
    "text": str,
    "int": int,
    "bool": bool,
    "object": dict,
    "texts": list,
    "ints": list,
    "objects": list,
}
_INSIDE: Mapping[str, type] = {"texts": str, "ints": int, "objects": dict}


def schema() -> dict[str, object]:
    """The description that travels in the archive."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "times": "columns ending in _ns: nanoseconds since 1970-01-01T00:00:00Z, exact integers",
        "amounts": "columns ending in _micro: millionths of the campaign's unit; uakt: millionths of one AKT",
        "lines": "canonical JSON: keys sorted, no spaces, one object a line, in growing order of the key",
        "members": [
            {
                "name": member.name,
                "about": member.about,
                "key": list(member.key),
                "columns": [
                    {"name": column.name, "type": column.type, "about": column.about} for column in member.columns
                ],
            }
            for member in MEMBERS
        ],
    }


def misfit(member: Member, line: object) -> str | None:
    """What keeps a decoded line from being one of this member; None where nothing does."""
    if not isinstance(line, dict):
        return "it is no JSON object"
    wanted = [column.name for column in member.columns]
    if line.keys() != set(wanted):
        missing, odd = _names(set(wanted) - line.keys()), _names(line.keys() - set(wanted))
        return "; ".join(
            text for text in (missing and f"it lacks {missing}", odd and f"it has {odd}, unknown here") if text
        )
    for column in member.columns:
        if not _fits(column.type, line[column.name]):
            return f"{column.name} is no {column.type.rstrip('?')}"
    return None


def _fits(type_name: str, value: object) -> bool:
    plain = type_name.rstrip("?")
    if value is None:
        return plain != type_name
    if type(value) is not TYPES[plain] or (type(value) is int and not -(2**63) <= value < 2**63):
        return False
    inside = _INSIDE.get(plain)
    return inside is None or all(type(each) is inside for each in value)  # type: ignore[attr-defined]  # a list


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(name[:60] for name in names))
