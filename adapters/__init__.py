"""What the ports of both sides need: stores, feed, blobs, task processes, learning, HTTP and security."""
