"""The Insiders report: one HTML file that answers the nine questions."""
