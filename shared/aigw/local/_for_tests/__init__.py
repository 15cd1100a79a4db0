"""What a test tells a gateway to do, and what it looks at afterwards."""
