"""What a provider says of itself, asked over TLS that is tied to the chain: client, decoders, and what follows."""
