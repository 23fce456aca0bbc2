"""The two engines that send requests: `sync_client` over requests, `async_client` over aiohttp."""
