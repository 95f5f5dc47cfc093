"""The read side: documents, their pure `evolve`, and the questions they answer now or as of any position."""
