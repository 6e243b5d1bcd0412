"""Ways to hand records to Kafka, all behind one small protocol."""
