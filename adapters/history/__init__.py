"""How a history page is planned and found, once for all stores."""
