"""What a participant enters for a deployment, and what the index offers as candidates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.deployed_worlds import APP_HASH, APPS, OTHER_HASH, OWNER, World, params
from verifiers.evidence import EntryRefused, IndexedDeployment
from verifiers.kinds import ai_deployment

TEXT = (Path(__file__).parents[2] / "fixtures" / "sdl-recorded" / "typescript" / "a-ex1.yaml").read_text()
FALCON = TEXT.replace("example/notebook:1.4", "example/falcon7b:2")
HASH = "f58bc3b3afca7a832beb6cd87e082f7d345b12fedd67b8abff87ceaf7fdea9fa"
TWINS = (APPS[0], {**APPS[0], "slug": "twin"})
FIELDS = {"owner": OWNER, "dseq": "7", "sdl": FALCON}


def entered(**changes: str) -> dict[str, str]:
    return {name: value for name, value in (FIELDS | changes).items() if value}


def test_enter__sdl_of_an_app__becomes_a_claim_of_owner_and_app() -> None:
    entry = ai_deployment.enter(entered(), params(), [OWNER])
    assert entry.subject == f"{OWNER}/falcon7b"
    assert entry.fields == {"owner": OWNER, "dseq": "7", "app": "falcon7b"}
    (sdl,) = entry.sdls
    reduced = json.loads(sdl.reduced)
    assert (sdl.owner, sdl.dseq, sdl.app) == (OWNER, 7, None)
    assert sorted(reduced) == ["findings", "hashes", "services", "version"]
    assert "TOKEN" not in sdl.reduced.decode()


def test_enter__any_app__is_a_claim_of_the_deployment() -> None:
    entry = ai_deployment.enter(entered(sdl=""), params(apps=(), group_by="deployment"), [OWNER])
    assert (entry.subject, entry.sdls) == (f"{OWNER}/7", ())


def test_enter__known_hash__needs_no_image() -> None:
    apps = ({"slug": "known", "title": "Known", "images": (), "hashes": (HASH,)},)
    assert ai_deployment.enter(entered(sdl=TEXT), params(apps=apps), [OWNER]).subject == f"{OWNER}/known"


def test_enter__several_apps__takes_the_named_one_and_keeps_the_name() -> None:
    entry = ai_deployment.enter(entered(app="twin"), params(apps=TWINS), [OWNER])
    assert entry.subject == f"{OWNER}/twin"
    assert json.loads(entry.sdls[0].reduced)["app"] == "twin"


REFUSED = [
    ("address of somebody else", {"owner": "akash1other"}, APPS, "owner", "one of your own addresses"),
    ("dseq no number", {"dseq": "7a"}, APPS, "dseq", "whole number"),
    ("dseq zero", {"dseq": "0"}, APPS, "dseq", "whole number"),
    ("SDL missing", {"sdl": ""}, APPS, "sdl", "exactly as you deployed"),
    ("SDL not valid", {"sdl": FALCON.replace("port: 8888", "port: 0")}, APPS, "sdl", "line 8"),
    ("SDL no YAML", {"sdl": "a: b: c"}, APPS, "sdl", "line 1"),
    ("SDL of something else", {"sdl": TEXT}, APPS, "sdl", "Falcon 7B, LLaMA"),
    ("unknown app", {"app": "nope"}, APPS, "app", "no app 'nope'"),
    ("app that it does not run", {"app": "llama"}, APPS, "app", "it runs falcon7b"),
    ("several apps", {}, TWINS, "app", "name one: falcon7b, twin"),
]


@pytest.mark.parametrize(
    ("changes", "apps", "field", "message"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED]
)
def test_enter__something_wrong__names_field_and_mend(
    changes: dict[str, str], apps: object, field: str, message: str
) -> None:
    with pytest.raises(EntryRefused) as refusal:
        ai_deployment.enter(entered(**changes), params(apps=apps), [OWNER])
    assert refusal.value.field == field
    assert message in refusal.value.message


def indexed(dseq: int = 1, on_chain: str = APP_HASH, models: tuple[str, ...] = ("nvidia/a100",)) -> IndexedDeployment:
    return IndexedDeployment(OWNER, dseq, on_chain, 100 + dseq, 1, models, ("p1", "p2", "p1"))


CANDIDATES = [
    ("SDL given", indexed(), World().sdl(1), {}, f"{OWNER}/falcon7b", ""),
    ("no SDL", indexed(), World(), {}, None, "Add your SDL."),
    ("other hash", indexed(1, OTHER_HASH), World().sdl(1), {}, None, "another hash"),
    ("other image", indexed(), World().sdl(1, "example/else"), {}, None, "none of the task's apps"),
    ("catalogue hash", indexed(1, "cc" * 32), World(), {}, f"{OWNER}/llama", ""),
    ("several apps", indexed(), World().sdl(1), {"apps": TWINS}, None, "Name the app"),
    ("several apps, named", indexed(), World().sdl(1, app="twin"), {"apps": TWINS}, f"{OWNER}/twin", ""),
    ("any app", indexed(), World(), {"apps": (), "group_by": "deployment"}, f"{OWNER}/1", ""),
    ("by deployment", indexed(), World().sdl(1), {"group_by": "deployment"}, f"{OWNER}/1", ""),
    ("model that does not count", indexed(), World().sdl(1), {"gpu_models": ("h100",)}, None, "does not count"),
    (
        "model not said",
        indexed(models=("nvidia/*",)),
        World().sdl(1),
        {"gpu_models": ("h100",)},
        f"{OWNER}/falcon7b",
        "",
    ),
]


@pytest.mark.parametrize(
    ("row", "world", "changes", "subject", "needs"), [pytest.param(*row[1:], id=row[0]) for row in CANDIDATES]
)
def test_candidates__indexed_deployment__says_what_it_is_and_needs(
    row: IndexedDeployment, world: World, changes: dict[str, object], subject: str | None, needs: str
) -> None:
    (candidate,) = ai_deployment.candidates("deploy", [row], world.given, params(**changes))
    assert candidate.subject == subject
    assert (needs in candidate.needs) if needs else candidate.needs == ""
    assert candidate.providers == ("p1", "p2")
    assert bool(candidate.fields) == (subject is not None)


def test_candidates__several__come_in_the_order_made_and_without_those_that_ask_no_gpu() -> None:
    rows = [indexed(3), indexed(2), IndexedDeployment(OWNER, 9, APP_HASH, 1, 0, ())]
    found = ai_deployment.candidates("deploy", rows, World().sdl(2).given, params())
    assert [each.dseq for each in found] == [2, 3]
