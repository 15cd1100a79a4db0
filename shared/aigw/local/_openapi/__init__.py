"""The local gateway described in OpenAPI 3.1, from the tables that it answers by."""
