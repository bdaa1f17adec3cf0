"""People, campaigns, observations, claims and verdicts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def _challenges() -> None:
    op.create_table(
        "challenges",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("linked_to", sa.Text()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("browser_hash", sa.Text(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("created_ns", BIG, nullable=False),
        sa.Column("expires_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
        sa.UniqueConstraint("nonce", name=op.f("uq_challenges_nonce")),
    )
    op.create_index(op.f("ix_challenges_expires_ns"), "challenges", ["expires_ns"])


def _participants() -> None:
    op.create_table(
        "participants",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_participants")),
    )


def _roles() -> None:
    op.create_table(
        "roles",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("address", "role", name=op.f("pk_roles")),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_ns", BIG, nullable=False),
        sa.Column("seen_ns", BIG, nullable=False),
        sa.Column("expires_ns", BIG, nullable=False),
        sa.Column("csrf_token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_address"), "sessions", ["address"])
    op.create_index(op.f("ix_sessions_expires_ns"), "sessions", ["expires_ns"])


def _addresses() -> None:
    op.create_table(
        "addresses",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("proved_ns", BIG, nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("linked_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_addresses")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.address"], name=op.f("fk_addresses_participant_participants")
        ),
    )
    op.create_index(op.f("ix_addresses_participant"), "addresses", ["participant"])


def _personal() -> None:
    op.create_table(
        "personal",
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text()),
        sa.Column("contact", sa.Text()),
        sa.PrimaryKeyConstraint("participant", name=op.f("pk_personal")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.address"], name=op.f("fk_personal_participant_participants")
        ),
    )


def _registrations() -> None:
    op.create_table(
        "registrations",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("rules_digest", sa.Text(), nullable=False),
        sa.Column("received_ns", BIG, nullable=False),
        sa.Column("chain_id", sa.Text()),
        sa.Column("height", BIG),
        sa.Column("time_ns", BIG),
        sa.PrimaryKeyConstraint("campaign", "participant", name=op.f("pk_registrations")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.address"], name=op.f("fk_registrations_participant_participants")
        ),
    )
    op.create_index(op.f("ix_registrations_campaign_received_ns"), "registrations", ["campaign", "received_ns"])
    op.create_index(op.f("ix_registrations_participant"), "registrations", ["participant"])


def _campaign_revisions() -> None:
    op.create_table(
        "campaign_revisions",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("revision", BIG, autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("loaded_ns", BIG, nullable=False),
        sa.Column("counts_from_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("campaign", "revision", name=op.f("pk_campaign_revisions")),
    )


def _bodies() -> None:
    op.create_table(
        "bodies",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_bodies")),
    )


def _observations() -> None:
    op.create_table(
        "observations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("body_digest", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("seen_ns", BIG, nullable=False),
        sa.Column("status", BIG),
        sa.Column("chain_id", sa.Text()),
        sa.Column("height", BIG),
        sa.Column("time_ns", BIG),
        sa.Column("trouble", sa.Text()),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observations")),
        sa.ForeignKeyConstraint(["body_digest"], ["bodies.digest"], name=op.f("fk_observations_body_digest_bodies")),
    )
    op.create_index(op.f("ix_observations_body_digest"), "observations", ["body_digest"])
    op.create_index(op.f("ix_observations_request_chain_id"), "observations", ["request", "chain_id"])


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("received_ns", BIG, nullable=False),
        sa.Column("found", sa.Boolean(), nullable=False),
        sa.Column("due_ns", BIG),
        sa.Column("taken_by", sa.Text()),
        sa.Column("taken_until_ns", BIG),
        sa.Column("looked_ns", BIG),
        sa.Column("looked_height", BIG),
        sa.Column("verdict_id", BIG),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at_ns", BIG),
        sa.Column("height", BIG),
        sa.Column("tx_index", BIG),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("holds_place", sa.Boolean(), nullable=False),
        sa.Column("next_look_ns", BIG),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
        sa.UniqueConstraint(
            "campaign", "participant", "task", "subject", name=op.f("uq_claims_campaign_participant_task_subject")
        ),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.address"], name=op.f("fk_claims_participant_participants")
        ),
    )
    op.create_index(op.f("ix_claims_campaign_task_outcome"), "claims", ["campaign", "task", "outcome"])
    op.create_index(op.f("ix_claims_due_ns"), "claims", ["due_ns"])
    op.create_index(op.f("ix_claims_participant"), "claims", ["participant"])


def _entered_sdls() -> None:
    op.create_table(
        "entered_sdls",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("dseq", BIG, autoincrement=False, nullable=False),
        sa.Column("observation", sa.Text(), nullable=False),
        sa.Column("app", sa.Text()),
        sa.Column("received_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("campaign", "participant", "owner", "dseq", name=op.f("pk_entered_sdls")),
        sa.ForeignKeyConstraint(
            ["observation"], ["observations.id"], name=op.f("fk_entered_sdls_observation_observations")
        ),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.address"], name=op.f("fk_entered_sdls_participant_participants")
        ),
    )
    op.create_index(op.f("ix_entered_sdls_campaign_owner"), "entered_sdls", ["campaign", "owner"])


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("judge", sa.Text(), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("as_of_chain", sa.Text(), nullable=False),
        sa.Column("as_of_height", BIG, nullable=False),
        sa.Column("as_of_time_ns", BIG, nullable=False),
        sa.Column("decided_ns", BIG, nullable=False),
        sa.Column("at_ns", BIG),
        sa.Column("height", BIG),
        sa.Column("tx_index", BIG),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("holds_place", sa.Boolean(), nullable=False),
        sa.Column("next_look_ns", BIG),
        sa.Column("missing", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
        sa.ForeignKeyConstraint(["claim"], ["claims.id"], name=op.f("fk_verdicts_claim_claims")),
    )
    op.create_index(op.f("ix_verdicts_claim"), "verdicts", ["claim"])


def _checks() -> None:
    op.create_table(
        "checks",
        sa.Column("verdict", BIG, autoincrement=False, nullable=False),
        sa.Column("position", BIG, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("height", BIG),
        sa.Column("time_ns", BIG),
        sa.Column("observations", JSON, nullable=False),
        sa.PrimaryKeyConstraint("verdict", "position", name=op.f("pk_checks")),
        sa.ForeignKeyConstraint(["verdict"], ["verdicts.id"], name=op.f("fk_checks_verdict_verdicts")),
    )


def _verdict_observations() -> None:
    op.create_table(
        "verdict_observations",
        sa.Column("verdict", BIG, autoincrement=False, nullable=False),
        sa.Column("position", BIG, autoincrement=False, nullable=False),
        sa.Column("observation", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("verdict", "position", name=op.f("pk_verdict_observations")),
        sa.ForeignKeyConstraint(
            ["observation"], ["observations.id"], name=op.f("fk_verdict_observations_observation_observations")
        ),
        sa.ForeignKeyConstraint(["verdict"], ["verdicts.id"], name=op.f("fk_verdict_observations_verdict_verdicts")),
    )
    op.create_index(op.f("ix_verdict_observations_observation"), "verdict_observations", ["observation"])


def upgrade() -> None:
    _challenges()
    _participants()
    _roles()
    _sessions()
    _addresses()
    _personal()
    _registrations()
    _campaign_revisions()
    _bodies()
    _observations()
    _claims()
    _entered_sdls()
    _verdicts()
    _checks()
    _verdict_observations()


def downgrade() -> None:
    for table in (
        "verdict_observations",
        "checks",
        "verdicts",
        "entered_sdls",
        "claims",
        "observations",
        "bodies",
        "campaign_revisions",
        "registrations",
        "personal",
        "addresses",
        "sessions",
        "roles",
        "participants",
        "challenges",
    ):
        op.drop_table(table)
