"""The replay side: scenario, simulation, tape, schedule and senders; knows nothing of engines."""
