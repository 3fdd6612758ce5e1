"""How a row that somebody else may have written meanwhile is spared, a file per guard."""
