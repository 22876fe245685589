"""Redis over two transports, TCP and Upstash's REST API, and all that is kept there."""
