"""What carries requests: the clients under the drivers, the only modules that know httpx, urllib3 and aiohttp."""
