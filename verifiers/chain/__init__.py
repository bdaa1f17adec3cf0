"""The chain: asks nodes over REST and RPC, decodes what they answer."""
