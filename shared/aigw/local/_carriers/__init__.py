"""What carries requests to the engine: a real socket, or a transport inside the process."""
