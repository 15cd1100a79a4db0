"""What a gateway is set to, which values it may have, and which gateways there are."""
