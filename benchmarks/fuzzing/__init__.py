"""Records and Kafka record batches as a hostile or broken sender could write them, made from a seed."""
