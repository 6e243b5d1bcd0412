"""Access to a Kafka cluster: connection, security, admin client, rights, reading to the end, acknowledged writes."""
