"""The gate on h2corn, an HTTP/2 server in Rust that calls an ASGI application."""
