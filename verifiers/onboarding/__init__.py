"""How a GPU brought to the network is confirmed: the provider, the lease that proves it, its uptime (pure)."""
