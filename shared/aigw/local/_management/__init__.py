"""The management APIs over HTTP: gateways, logs, stored provider keys."""
