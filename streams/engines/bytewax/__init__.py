"""Engine ``bytewax``: a Bytewax dataflow with recovery."""
