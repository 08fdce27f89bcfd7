"""What waits: runs, sweeps, the clock."""
