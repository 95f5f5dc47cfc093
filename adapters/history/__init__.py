"""How a history page is planned and walked, once for all stores: a store says how its rows are found."""
