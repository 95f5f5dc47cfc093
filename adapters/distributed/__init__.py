"""The adapters of the distributed mode: MongoDB orders and answers, Kafka carries the complete copy."""
