"""What a node answers: REST (grpc-gateway) and RPC (CometBFT), from the chain's versions."""
