"""What stands behind the gateway: providers, any server with an OpenAI API, or the offline model."""
