"""A sample SDL written for others, with changes that break one rule each."""

from __future__ import annotations

SDL = """\
version: "2.0"
services:
  llm:
    image: example/llm-server:1.4
    args: ["--model", "alpaca-7b", "--listen", "0.0.0.0"]
    env:
      - MODEL_REVISION=main
      - MAX_TOKENS=2048
    expose:
      - port: 8000
        as: 80
        to:
          - global: true
profiles:
  compute:
    llm:
      resources:
        cpu: {units: 4}
        memory: {size: 16Gi}
        gpu: {units: 1, attributes: {vendor: {nvidia: [{model: a100}]}}}
        storage: {size: 60Gi}
  placement:
    anywhere:
      pricing:
        llm: {denom: uact, amount: 9000}
deployment:
  llm:
    anywhere: {profile: llm, count: 1}
"""
