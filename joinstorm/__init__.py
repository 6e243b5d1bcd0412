"""The command line and what surrounds the pipeline: embedded broker, oracle, verdict and report."""
