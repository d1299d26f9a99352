"""Every other form of the wire, by connectrpc: Connect, gRPC-Web, compressed gRPC, health and reflection."""
