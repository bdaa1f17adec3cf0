"""The command line's words: commands, options, help."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from commands import audit, devnet_keys, ending, payout_network, payouts, platform, providers
from commands import campaign as campaigns


def parser() -> argparse.ArgumentParser:
    """Every command with its options and what it does."""
    made = argparse.ArgumentParser(prog="app.py", description="Waymark runs incentivised testnets.")
    made.add_argument("--env-file", type=Path, help="read settings from this file instead of ./.env")
    rooms = made.add_subparsers(required=True, metavar="COMMAND")

    def command(path: str, run: Any, *options: tuple[Any, ...], json_too: bool = False) -> None:
        group, _, name = path.rpartition(" ")
        home = groups.get(group) if group else rooms
        if home is None:
            alone = single.get(group)  # what runs alone too needs no word after it
            room = alone or rooms.add_parser(group, help=f"{group} …")
            home = groups[group] = room.add_subparsers(required=alone is None, metavar="WHAT")
        about = (run.__doc__ or "").splitlines()[0]
        one = single[path] = home.add_parser(name, help=about, description=about)
        for flags, keywords in options:
            one.add_argument(*flags, **keywords)
        if json_too:
            one.add_argument("--json", action="store_true", help="print one JSON document")
        one.set_defaults(run=run)

    groups: dict[str, Any] = {}
    single: dict[str, argparse.ArgumentParser] = {}
    _add_commands(command)
    ending.add_commands(command, _option)
    devnet_keys.add_commands(command, _option)
    payouts.add_commands(command, _option)
    payout_network.add_commands(command, _option)
    return made


def _option(*flags: str, **keywords: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return flags, keywords


def _add_commands(command: Any) -> None:
    host = _option("--host", default="127.0.0.1", help="the address to listen on")
    port = _option("--port", type=int, help="the port to listen on")
    workers = _option("--workers", type=int, default=1, help="web processes; more than one on PostgreSQL only")
    file = _option("file", type=Path, metavar="FILE")
    until = _option("--until", type=int, metavar="HEIGHT", help="stop at this height of the story")
    generation = _option("--generation", choices=("v1", "v2"), default="v2", help="which node to be: v1.2 or v2.1")
    calm = _option("--calm", action="store_true", help="a node that answers everything, whatever the story says")
    command("serve", platform.serve, host, port, workers)
    command("web", platform.web, host, port, workers)
    command("jobs", platform.jobs)
    folder = _option("--dir", type=Path, default=Path(".demo"), help="the folder that holds the demo")
    fresh = _option("--fresh", action="store_true", help="begin anew")
    scale = _option("--scale", choices=("full", "small", "tiny"), default="full", help=argparse.SUPPRESS)
    seed = _option("--seed", type=int, default=2023, help=argparse.SUPPRESS)
    command("demo", platform.demo, port, folder, fresh, until, scale)
    scenario = _option("--scenario", default="gpu-testnet-2023", help="the story to tell")
    opens = _option("--opens", type=int, help=argparse.SUPPRESS)
    codes = _option("--codes", type=Path, help=argparse.SUPPRESS)
    pays = _option(
        "--payouts", type=Path, metavar="FOLDER", help="serve the payout chain too; it keeps its files here"
    )
    command("devnet", platform.devnet, scenario, port, opens, until, scale, seed, calm, generation, codes, pays)
    command("campaign check", campaigns.campaign_check, file, json_too=True)
    author = _option("--author", default="operator", help="who loads it, for the record")
    reason = _option("--reason", help="why, for the record; default: the file's own change.reason")
    command("campaign load", campaigns.campaign_load, file, author, reason, json_too=True)
    command("sdl check", campaigns.sdl_check, file, json_too=True)
    command(
        "verify", campaigns.verify, _option("--once", action="store_true", help="until nothing is due, then exit")
    )
    command("rewards compute", campaigns.rewards_compute, json_too=True)
    campaign = _option("campaign", type=Path, metavar="CAMPAIGN.yaml")
    table = _option("completions", type=Path, metavar="COMPLETIONS.csv")
    earlier = _option(
        "--earlier", type=Path, nargs="+", action="extend", default=[], help="the earlier revisions, in any order"
    )
    command("rewards simulate", campaigns.rewards_simulate, campaign, table, earlier, json_too=True)
    command("payout owed", campaigns.payout_owed, _option("--csv", action="store_true"), json_too=True)
    command("audit export", audit.audit_export, file, json_too=True)
    command("audit verify", audit.audit_verify, file, json_too=True)
    role = _option("--role", required=True, help="reviewer, organizer, treasurer, approver or admin")
    command("organizer add", platform.organizer_add, _option("address"), role)
    command("db upgrade", platform.db_upgrade)
    address = _option("address", metavar="ADDRESS", help="the provider's address on the chain")
    command("provider check", providers.provider_check, address, json_too=True)
    command("settings", platform.settings, json_too=True)
