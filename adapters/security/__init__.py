"""Keys, and the reading of tokens: the server's half of what `autolearn/protocol` names."""
