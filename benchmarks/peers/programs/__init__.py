"""The programs that run in the environment of the peers: one peer each, called by `benchmarks.peers.ways`."""
