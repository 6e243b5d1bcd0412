"""The simulation of the rooms: crowd, room server, hosts, retries; deterministic per seed."""
